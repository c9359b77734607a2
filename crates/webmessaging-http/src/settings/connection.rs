//! What settings say of the connection: the proxy, certificates, a gateway, headers of every call.

use secrecy::SecretString;

use crate::config::ClientBuilder;
use crate::connection::{Certificates, ClientIdentity};
use crate::error::Error;
use crate::settings::file::read_pem;
use crate::settings::keys::{
    CA_FILE, CLIENT_CERTIFICATE_FILE, GATEWAY_API_PATH, GATEWAY_HOST, GATEWAY_LOGIN_PATH, GATEWAY_PORT,
    GATEWAY_PROTOCOL, ONLY_CA_FILE, PROXY_EXCEPT, PROXY_PASSWORD, PROXY_URL, PROXY_USER,
};
use crate::settings::layer::Layer;
use crate::settings::value::Value;

pub(super) struct Connection {
    proxy: Option<Proxy>,
    tls: Tls,
    gateway: Option<Gateway>,
    headers: Vec<(String, SecretString)>,
}

struct Proxy {
    url: String,
    credentials: Option<(String, SecretString)>,
    except: Vec<String>,
}

/// The contents of PEM files.
struct Tls {
    authorities: Option<Authorities>,
    identity: Option<Vec<u8>>,
}

enum Authorities {
    BesidesTheSystem(Vec<u8>),
    Only(Vec<u8>),
}

struct Gateway {
    host: String,
    protocol: Option<String>,
    port: Option<u16>,
    login_path: Option<String>,
    api_path: Option<String>,
}

impl Connection {
    /// Reads the files with certificates.
    pub(super) fn of(values: &Layer) -> Result<Self, Error> {
        let headers = values.headers().map(|(name, value)| (name.to_owned(), value.clone())).collect();
        Ok(Self { proxy: Proxy::of(values)?, tls: Tls::of(values)?, gateway: Gateway::of(values)?, headers })
    }

    pub(super) fn apply(self, mut builder: ClientBuilder) -> ClientBuilder {
        if let Some(Proxy { url, credentials, except }) = self.proxy {
            let mut proxy = crate::Proxy::to(url).except(except.join(","));
            if let Some((user, password)) = credentials {
                proxy = proxy.credentials(user, password);
            }
            builder = builder.proxy(proxy);
        }
        builder = match self.tls.authorities {
            Some(Authorities::BesidesTheSystem(pem)) => {
                builder.certificates(Certificates::system().and_pem(pem))
            }
            Some(Authorities::Only(pem)) => builder.certificates(Certificates::only_pem(pem)),
            None => builder,
        };
        if let Some(pem) = self.tls.identity {
            builder = builder.client_identity(ClientIdentity::from_pem(pem));
        }
        if let Some(gateway) = self.gateway {
            builder = builder.gateway(gateway.into());
        }
        self.headers.into_iter().fold(builder, |builder, (name, value)| builder.default_header(name, value))
    }
}

impl From<Gateway> for crate::Gateway {
    fn from(Gateway { host, protocol, port, login_path, api_path }: Gateway) -> Self {
        let gateway = Self::new(host);
        let gateway = if let Some(protocol) = protocol { gateway.protocol(protocol) } else { gateway };
        let gateway = if let Some(port) = port { gateway.port(port) } else { gateway };
        let gateway = if let Some(path) = login_path { gateway.login_path(path) } else { gateway };
        if let Some(path) = api_path { gateway.api_path(path) } else { gateway }
    }
}

impl Proxy {
    fn of(values: &Layer) -> Result<Option<Self>, Error> {
        let Some(Value::Url(url)) = values.value(PROXY_URL) else {
            need(values, PROXY_URL, &[PROXY_USER, PROXY_PASSWORD, PROXY_EXCEPT])?;
            return Ok(None);
        };
        need(values, PROXY_PASSWORD, &[PROXY_USER])?;
        need(values, PROXY_USER, &[PROXY_PASSWORD])?;
        let credentials = match (text(values, PROXY_USER), values.value(PROXY_PASSWORD)) {
            (Some(user), Some(Value::Secret(password))) => Some((user, password.clone())),
            _ => None,
        };
        let except = match values.value(PROXY_EXCEPT) {
            Some(Value::List(hosts)) => hosts.clone(),
            _ => Vec::new(),
        };
        Ok(Some(Self { url: url.clone(), credentials, except }))
    }
}

impl Tls {
    fn of(values: &Layer) -> Result<Self, Error> {
        let read = |name: &str| {
            let Some(found) = values.found(name) else { return Ok(None) };
            let Value::Path(path) = &found.value else { return Ok(None) };
            read_pem(path, &found.origin).map(Some)
        };
        let authorities = match (read(CA_FILE)?, read(ONLY_CA_FILE)?) {
            (Some(_), Some(_)) => {
                let message = format!("`{CA_FILE}` and `{ONLY_CA_FILE}` exclude each other, set one of them");
                return Err(Error::configuration(message));
            }
            (Some(pem), None) => Some(Authorities::BesidesTheSystem(pem)),
            (None, Some(pem)) => Some(Authorities::Only(pem)),
            (None, None) => None,
        };
        Ok(Self { authorities, identity: read(CLIENT_CERTIFICATE_FILE)? })
    }
}

impl Gateway {
    fn of(values: &Layer) -> Result<Option<Self>, Error> {
        let Some(host) = text(values, GATEWAY_HOST) else {
            need(
                values,
                GATEWAY_HOST,
                &[GATEWAY_PROTOCOL, GATEWAY_PORT, GATEWAY_LOGIN_PATH, GATEWAY_API_PATH],
            )?;
            return Ok(None);
        };
        let port = match values.value(GATEWAY_PORT) {
            Some(Value::Number(port)) => u16::try_from(*port).ok(),
            _ => None,
        };
        Ok(Some(Self {
            host,
            protocol: text(values, GATEWAY_PROTOCOL),
            port,
            login_path: text(values, GATEWAY_LOGIN_PATH),
            api_path: text(values, GATEWAY_API_PATH),
        }))
    }
}

fn text(values: &Layer, name: &str) -> Option<String> {
    match values.value(name) {
        Some(Value::Text(text)) => Some(text.clone()),
        _ => None,
    }
}

/// Refuses settings that mean nothing without another one.
fn need(values: &Layer, missing: &str, names: &[&str]) -> Result<(), Error> {
    if values.found(missing).is_some() {
        return Ok(());
    }
    match names.iter().find_map(|name| Some((name, values.found(name)?))) {
        Some((name, found)) => {
            Err(found.origin.refuse(format!("`{name}` means nothing without `{missing}`")))
        }
        None => Ok(()),
    }
}
