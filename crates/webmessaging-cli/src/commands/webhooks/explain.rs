//! `webmessaging webhooks explain`: which mistake it is that a delivery is refused for.

use serde_json::{Value, json};
use webmessaging::webhooks::{Case, Explanation, Outcome};

use super::delivery::Recorded;
use crate::args::webhooks::DeliveryArgs;
use crate::failure::{Exit, Failure};
use crate::output::{Output, printable};

pub(super) fn run(args: &DeliveryArgs, output: Output) -> Result<Exit, Failure> {
    let recorded = Recorded::read(args)?;
    let explanation = Case::new(&recorded.body, &recorded.headers).explain(&recorded.verifier, recorded.now);
    let is_valid = explanation.outcome == Outcome::Valid;
    output.result(&report(&explanation, is_valid), || printable(&explanation.to_string()))?;
    Ok(if is_valid { Exit::Success } else { Exit::InvalidInput })
}

fn report(explanation: &Explanation, is_valid: bool) -> Value {
    let mut report = json!(explanation);
    if let Value::Object(fields) = &mut report {
        fields.insert("ok".to_owned(), is_valid.into());
    }
    report
}
