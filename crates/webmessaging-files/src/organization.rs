//! The organisation that every call about a transfer names in a header.

use webmessaging_model::{Code, OrganizationId, Violation, Violations};

/// Adds to what was found that the organisation is missing, or is nothing a header can hold.
pub(crate) fn check(organization: &OrganizationId, found: Result<(), Violations>) -> Result<(), Violations> {
    let wrong = match organization.as_str() {
        "" => Some((Code::Required, "organization_id.required")),
        id if !id.bytes().all(|byte| byte.is_ascii_graphic()) => {
            Some((Code::ForbiddenCharacter, "organization_id.charset"))
        }
        _ => None,
    };
    let Some((code, rule)) = wrong else { return found };
    let mut found = found.err().map(Violations::into_vec).unwrap_or_default();
    found.push(Violation::new("X-Genesys-Organization-Id", code, rule));
    Violations::check(found)
}
