//! The guide: its targets file is read, its example of each shape is what goes out, its table has every key.

use std::collections::BTreeMap;

use serde_json::Value;
use webmessaging_journal::Facts;
use webmessaging_journal::kind::{AccessPolicy, ChannelUpdated, TransferFinished};
use webmessaging_sync::{Secrets, ShapeName, TargetConfig, Targets};

use crate::judge::{Judge, take};
use crate::setup::{Bench, config, event, file, guest, message, targets};

const GUIDE: &str = include_str!("../../../../docs/guides/synchronize.md");

fn blocks(kind: &str) -> Vec<&'static str> {
    let fence = format!("```{kind}\n");
    GUIDE.split(&*fence).skip(1).map(|part| part.split("```").next().unwrap()).collect()
}

#[test]
fn the_targets_file_works() {
    let text: String = blocks("toml").concat();
    let secrets = Secrets::system().variables([("DMS_TOKEN", "a"), ("CRM_KEY", "b")]);
    let built =
        TargetConfig::from_toml(&text).unwrap().into_iter().map(|config| config.build(&secrets).unwrap());
    let targets = Targets::new(built).unwrap();
    let names: Vec<_> = targets.iter().map(|target| (target.name(), target.shape(), target.host())).collect();
    assert_eq!(
        names,
        [
            ("documents", ShapeName::Documents, "dms.example"),
            ("crm", ShapeName::CrmGuests, "crm.example"),
            ("chat", ShapeName::Template, "chat.internal.example"),
        ]
    );
}

#[test]
fn every_key_and_every_shape_has_its_place() {
    let error = TargetConfig::from_toml("[[target]]\nx = 1\n").unwrap_err().to_string();
    let (_, keys) = error.split_once("expected one of ").unwrap();
    assert!(keys.split(", ").count() > 10, "{keys}");
    for key in keys.split(", ") {
        assert!(GUIDE.contains(&format!("\n| {key} |")), "{key}");
    }
    for shape in ShapeName::ALL {
        assert!(GUIDE.contains(&format!("\n`{shape}` tells of ")), "{shape}");
    }
}

#[tokio::test]
async fn the_examples_are_what_goes_out() {
    let policy = AccessPolicy::new(30, "AES-256", false);
    let transfer =
        TransferFinished::new("transfer-1", "a.pdf").storage_location("s3://bucket/a").access_policy(policy);
    let channel = ChannelUpdated::new("channel-1", vec!["configuration.webchat".to_owned()])
        .features(BTreeMap::from([("rich-media".to_owned(), true)]));
    let facts = Facts::new().latency(std::time::Duration::from_millis(9));
    let events = [
        (ShapeName::Documents, file(1)),
        (ShapeName::Archive, event(transfer)),
        (ShapeName::CrmGuests, guest(1)),
        (ShapeName::CrmMessages, message("c", 1)),
        (ShapeName::Monitoring, event(channel).facts(facts)),
    ];
    let examples = blocks("json");
    assert_eq!(examples.len(), events.len());
    for ((shape, event), example) in events.into_iter().zip(examples) {
        let (bench, judge) = (Bench::new().await, Judge::start(|_| take()).await);
        let targets = targets([config(&judge, shape)]);
        bench.enqueue(&targets, std::slice::from_ref(&event)).await;
        bench.worker(&targets).deliver_due().await.unwrap();
        let seen = judge.seen().remove(0);
        let example = example.replace("KEY", seen.key()).replace("EVENT", &event.id.to_string());
        assert_eq!(serde_json::from_str::<Value>(&example).unwrap(), seen.body, "{shape}");
    }
}
