//! Domains: the regions by key and by domain, any other domain, and nothing that could lead elsewhere.

use std::collections::HashSet;

use proptest::prelude::*;
use webmessaging_model::{Domain, Region};

#[test]
fn every_region_is_found_by_its_key_its_domain_and_its_alias() {
    assert_eq!(Region::ALL.len(), 18);
    let mut seen = HashSet::new();
    for region in Region::ALL {
        assert!(seen.insert(region.key) && seen.insert(region.domain), "{region:?} stands twice");
        let by_key: Domain = region.key.parse().unwrap();
        assert_eq!(by_key.as_str(), region.domain);
        assert_eq!(region.key.replace('_', "-").parse::<Domain>().unwrap(), by_key);
        for name in [Some(region.domain), region.alias].into_iter().flatten() {
            assert_eq!(name.parse::<Domain>().unwrap().region(), Some(region));
        }
    }
}

#[test]
fn a_domain_nobody_listed_is_taken_as_it_is() {
    let domain: Domain = " Brand-New1.Pure.Cloud ".parse().unwrap();
    assert_eq!(domain.as_str(), "brand-new1.pure.cloud");
    assert_eq!(domain.region(), None);
}

#[test]
fn the_default_is_that_of_the_official_sdks() {
    assert_eq!(Domain::default().region().map(|region| region.key), Some("us_east_1"));
}

#[test]
fn what_could_lead_a_credential_elsewhere_is_refused() {
    for text in [
        "",
        "localhost",
        "a..b",
        "evil.com/x",
        "x@evil.com",
        "evil.com:443",
        "evil.com?",
        "-a.b",
        "a.b-",
        "a b.c",
    ] {
        assert!(text.parse::<Domain>().is_err(), "{text:?} was accepted");
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: Some(Box::new(proptest::test_runner::FileFailurePersistence::WithSource("regressions"))),
        ..ProptestConfig::default()
    })]

    #[test]
    fn an_accepted_domain_is_the_end_of_its_host(text in "\\PC{0,80}|[a-z0-9.:/@-]{1,20}") {
        if let Ok(domain) = text.parse::<Domain>() {
            let expected = format!("https://api.{domain}");
            prop_assert!(expected.bytes().skip("https://".len()).all(|b| b.is_ascii_alphanumeric() || b".-".contains(&b)));
            prop_assert_eq!(domain.api_url(), expected);
        }
    }
}
