//! No explanation and no error tells the right signature, a secret, or anything of the body, whatever is put in.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE};
use hmac::{Hmac, KeyInit, Mac};
use http::{HeaderMap, HeaderName, HeaderValue};
use proptest::prelude::*;
use proptest::sample::select;
use webmessaging_webhooks::{Case, Secret, Secrets, Verifier};

use crate::setup::{committed, now};

/// Every text that could give something away, in lower case.
fn hidden(secret: &str, body: &str) -> Vec<String> {
    let mut hidden = vec![secret.to_owned(), body.to_owned()];
    let prefixes = ["", "msg_1.1764059400."];
    for prefix in prefixes {
        let mac = Hmac::<sha2::Sha256>::new_from_slice(secret.as_bytes()).unwrap();
        let mac = mac.chain_update(prefix).chain_update(body).finalize().into_bytes();
        let base64 = [STANDARD.encode(mac), STANDARD_NO_PAD.encode(mac), URL_SAFE.encode(mac)];
        // A part of it is enough for half the work.
        hidden.extend(base64.iter().flat_map(|text| [text.clone(), text[..16].to_owned()]));
        let hex = hex::encode(mac);
        hidden.extend([hex.clone(), hex[..16].to_owned(), hex[48..].to_owned()]);
    }
    hidden.into_iter().map(|text| text.to_lowercase()).collect()
}

/// Bodies with a word that occurs nowhere else.
fn body() -> impl Strategy<Value = (String, String)> {
    let word = "[q-z]{4}[0-9]{8}";
    prop_oneof![
        word.prop_map(|word| (format!(r#"{{"eventType":"x","data":{{"text":"{word}"}}}}"#), word)),
        word.prop_map(|word| (format!(r#"{{"eventType":"genesys.cloud.messaging.file.upload.completed","data":{{"status":"{word}"}}}}"#), word)),
        word.prop_map(|word| (format!(r#"{{"transferId":7,"status":"{word}"}}"#), word)),
        word.prop_map(|word| (format!(r#"{{"{word}":"#), word)),
        word.prop_map(|word| (word.clone(), word)),
    ]
}

fn changed(body: &str, how: u8) -> String {
    match how {
        0 => body.to_owned(),
        1 => format!("{body}\n"),
        2 => body.replace(':', ": "),
        3 => format!("\u{feff}{body}"),
        4 => String::new(),
        5 => format!("msg_1.1764059400.{body}"),
        _ => format!("something else than {body}"),
    }
}

proptest! {
    #![proptest_config(committed())]

    #[test]
    fn nothing_gives_anything_away(
        secret in "[A-P]{24}",
        (body, word) in body(),
        how in 0_u8..7,
        spelling in 0_u8..6,
        name in select(&["x-genesys-signature", "x-hub-signature-256", "x-other", "webhook-signature"][..]),
        is_timestamped in any::<bool>(),
        with_marks in any::<bool>(),
        is_wrong_secret in any::<bool>(),
    ) {
        let key = if is_wrong_secret { "another secret altogether" } else { &secret };
        let mac = Hmac::<sha2::Sha256>::new_from_slice(key.as_bytes()).unwrap();
        let mac = mac.chain_update(changed(&body, how)).finalize().into_bytes();
        let spelled = match spelling {
            0 => hex::encode(mac),
            1 => format!("sha256={}", STANDARD.encode(mac)),
            2 => format!("v1,{}", STANDARD.encode(mac)),
            3 => STANDARD.encode(hex::encode(mac)),
            4 => hex::encode(mac)[..40].to_owned(),
            _ => format!("\"{}\"", hex::encode(mac)),
        };
        let mut headers: HeaderMap =
            [(HeaderName::from_static(name), HeaderValue::from_str(&spelled).unwrap())].into_iter().collect();
        if with_marks {
            headers.insert("webhook-id", HeaderValue::from_static("msg_1"));
            headers.insert("webhook-timestamp", HeaderValue::from_static("1764059400"));
        }
        let secrets = Secrets::from(Secret::new("label", secret.clone()).unwrap());
        let verifier = Verifier::new(secrets.clone()).timestamped(is_timestamped);
        let explanation =
            Case::new(body.as_bytes(), &headers).url("https://hooks.example/a").retired(&secrets).explain(&verifier, now());
        let mut shown = vec![
            format!("{explanation} {explanation:?} {verifier:?} {secrets:?}"),
            serde_json::to_string(&explanation).unwrap(),
        ];
        if let Err(error) = verifier.verify(body.clone(), &headers, now()) {
            shown.push(format!("{error} {error:?}"));
            let mut source = std::error::Error::source(&error);
            while let Some(error) = source {
                shown.push(format!("{error} {error:?}"));
                source = error.source();
            }
        }
        let shown = shown.join(" ").to_lowercase();
        for hidden in hidden(&secret, &body).into_iter().chain([word]) {
            prop_assert!(!shown.contains(&hidden), "{} in {}", hidden, shown);
        }
    }
}
