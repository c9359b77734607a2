//! Where a `nextUri` leads: to another query of the operation's own address, or nowhere.
//!
//! The request that follows it carries the access token, so a server, or whoever stands in for one, must not be able
//! to name its target. Host and path are ours in any case; only the query is taken from the URI.

use percent_encoding::percent_decode_str;
use url::Url;

use crate::client::Shared;
use crate::endpoint::{Encoder, Endpoint};
use crate::error::Error;

const NOT_A_URI: &str = "the next page's uri is not a uri";
const ELSEWHERE: &str = "the next page's uri leads away from the operation's own address";
const SAME: &str = "the next page's uri names no other page";

/// The query of the next page's request, or what is wrong with its URI.
pub(super) fn query_of(shared: &Shared, endpoint: &impl Endpoint, uri: &str) -> Result<String, Error> {
    let operation = endpoint.operation();
    let path_of = |template: &str| {
        let request = endpoint.encode(Encoder::new(operation, "", template)).finish()?;
        Ok::<_, Error>(request.uri().path().to_owned())
    };
    // A gateway that serves the operation elsewhere need not rewrite what the platform says in a body.
    let (sent, documented) = (path_of(shared.path_of(operation))?, path_of(operation.path)?);
    query(&shared.hosts.api, &sent, &documented, uri).map_err(Error::unexpected)
}

fn query(api: &str, sent: &str, documented: &str, uri: &str) -> Result<String, &'static str> {
    let own = Url::parse(&format!("{api}{sent}")).map_err(|_| NOT_A_URI)?;
    let next = own.join(uri).map_err(|_| NOT_A_URI)?;
    let has_user = !next.username().is_empty() || next.password().is_some();
    if has_user || next.origin() != own.origin() {
        return Err(ELSEWHERE);
    }
    let prefix = own.path().strip_suffix(sent).unwrap_or_default();
    let is = |path: &str| bytes(next.path()).eq(bytes(path));
    if ![sent, documented].iter().any(|path| is(path) || is(&format!("{prefix}{path}"))) {
        return Err(ELSEWHERE);
    }
    next.query().filter(|query| !query.is_empty()).map(str::to_owned).ok_or(SAME)
}

/// What a path means, however it is encoded; a slash at its end means nothing.
fn bytes(path: &str) -> impl Iterator<Item = u8> + '_ {
    percent_decode_str(path.strip_suffix('/').unwrap_or(path))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const API: &str = "https://api.mypurecloud.ie";
    const PATH: &str = "/api/v2/things/a%20b/parts";

    fn follow(uri: &str) -> Result<String, &'static str> {
        query(API, PATH, PATH, uri)
    }

    #[test]
    fn a_relative_and_an_absolute_uri_are_followed() {
        for uri in [
            "/api/v2/things/a%20b/parts?after=x&pageSize=2",
            "/api/v2/things/a b/parts/?after=x&pageSize=2#there",
            "?after=x&pageSize=2",
            "parts?after=x&pageSize=2",
            "https://api.mypurecloud.ie/api/v2/things/a%20b/parts?after=x&pageSize=2",
            "HTTPS://API.mypurecloud.ie:443/api/v2/things/%61%20b/parts?after=x&pageSize=2",
            "//api.mypurecloud.ie/api/v2/things/a%20b/parts?after=x&pageSize=2",
            "/api/v2/things/a%20b/../a%20b/parts?after=x&pageSize=2",
        ] {
            assert_eq!(follow(uri).as_deref(), Ok("after=x&pageSize=2"), "{uri}");
        }
        // The query is passed on as it stands: a plus sign in a cursor stays one.
        assert_eq!(follow("?cursor=a+b%2Bc==").as_deref(), Ok("cursor=a+b%2Bc=="));
    }

    #[test]
    fn a_uri_that_leads_elsewhere_is_not() {
        for uri in [
            "https://evil.example/api/v2/things/a%20b/parts?after=x",
            "//evil.example/api/v2/things/a%20b/parts?after=x",
            "\\\\evil.example/api/v2/things/a%20b/parts?after=x",
            "/\\evil.example/api/v2/things/a%20b/parts?after=x",
            "ht\ttps:/\n/evil.example/api/v2/things/a%20b/parts?after=x",
            "https://api.mypurecloud.ie@evil.example/api/v2/things/a%20b/parts?after=x",
            "https://api.mypurecloud.ie:x@api.mypurecloud.ie/api/v2/things/a%20b/parts?after=x",
            "https://me@api.mypurecloud.ie/api/v2/things/a%20b/parts?after=x",
            "https://api.mypurecloud.ie.evil.example/api/v2/things/a%20b/parts?after=x",
            "https://api.mypurecloud.ie:8443/api/v2/things/a%20b/parts?after=x",
            "http://api.mypurecloud.ie/api/v2/things/a%20b/parts?after=x",
            "file:///api/v2/things/a%20b/parts?after=x",
            "javascript:alert(1)",
            "/api/v2/things/a%20b/parts/../../../admin?after=x",
            "/api/v2/things/a%20b/parts/%2e%2e/%2E./admin?after=x",
            "/api/v2/things/a%20b/parts%2F..%2F..%2Fadmin?after=x",
            "/api/v2/things/a%20b/parts/one?after=x",
            "/api/v2/things/a%2520b/parts?after=x",
            "/api/v2/things/other/parts?after=x",
            "/api/v2/things/a%20b/partsandmore?after=x",
            "/?after=x",
            "..?after=x",
        ] {
            assert_eq!(follow(uri), Err(ELSEWHERE), "{uri}");
        }
        assert_eq!(follow("https://"), Err(NOT_A_URI));
        for uri in ["", "?", "#there", PATH] {
            assert_eq!(follow(uri), Err(SAME), "{uri}");
        }
    }

    #[test]
    fn a_gateway_need_not_rewrite_bodies() {
        let follow =
            |uri: &str| query("https://gateway.example/genesys", "/v9/things", "/api/v2/things", uri);
        for path in ["/genesys/v9/things", "/v9/things", "/genesys/api/v2/things", "/api/v2/things"] {
            assert_eq!(follow(&format!("{path}?p=2")).as_deref(), Ok("p=2"), "{path}");
        }
        assert_eq!(follow("/genesys?p=2"), Err(ELSEWHERE));
        assert_eq!(follow("https://api.mypurecloud.ie/api/v2/things?p=2"), Err(ELSEWHERE));
    }

    proptest! {
        #![proptest_config(ProptestConfig {
            failure_persistence: Some(Box::new(proptest::test_runner::FileFailurePersistence::WithSource("regressions"))),
            ..ProptestConfig::default()
        })]

        /// Whatever a server writes, the request goes to our host and path.
        #[test]
        fn no_uri_moves_the_request(uri in r"(https?:|//|/|\\|\.\./|@|%2e|:|\?|#|[a-z.]|\t|\n|/api/v2/things/a%20b/parts){0,12}") {
            if let Ok(query) = follow(&uri) {
                let target: http::Uri = format!("{API}{PATH}?{query}").parse().unwrap();
                prop_assert_eq!(target.host(), Some("api.mypurecloud.ie"));
                prop_assert_eq!(target.path(), PATH);
                prop_assert_eq!(target.query(), Some(&*query));
            }
        }
    }
}
