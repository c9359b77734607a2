//! People: whom a message is from and to.

use std::fmt;

use serde::Deserialize;

/// Who a message is from or to. `Debug` shows nothing: the id can be an e-mail address or a telephone number.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Person {
    /// The id, of the kind that `id_type` says.
    #[serde(default)]
    pub id: Option<String>,
    /// `Email`, `Phone`, `Opaque`, or what the platform invents.
    #[serde(default)]
    pub id_type: Option<String>,
    /// What they call themselves.
    #[serde(default)]
    pub nickname: Option<String>,
    /// First name.
    #[serde(default)]
    pub first_name: Option<String>,
    /// Last name.
    #[serde(default)]
    pub last_name: Option<String>,
    /// E-mail address.
    #[serde(default)]
    pub email: Option<String>,
}

impl fmt::Debug for Person {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Person(..)")
    }
}
