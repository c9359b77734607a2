//! The object store behind the signed URLs: takes the bytes of announced files and gives those of cleared ones.

use std::io;
use std::path::PathBuf;

use axum::body::Body;
use axum::response::Response;
use http::header::{
    AUTHORIZATION, CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_TYPE, ETAG, TRANSFER_ENCODING,
    X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use sha2::{Digest, Sha256};
use tempfile::{NamedTempFile, TempPath};
use tokio::fs::File;
use tokio::io::{AsyncWriteExt, BufWriter};
use tokio_util::io::ReaderStream;
use uuid::Uuid;

use crate::announced::Announced;
use crate::answer::Refusal;
use crate::files::{Commit, Content, Phase};
use crate::scan::Scanner;
use crate::serve::Call;
use crate::watch::watch_scan;

/// Bytes that are gathered before they are written to or read from disk.
const BUFFER_BYTES: usize = 256 * 1024;

/// `PUT` of the bytes of an announced file.
pub(crate) async fn put<A: Announced>(call: &mut Call) -> Result<Response, Refusal> {
    refuse_authorization(&call.headers)?;
    let id = file_id::<A>(call)?;
    // Without the file there is no length to check the signature with.
    let file = A::files(&call.shared).view(id, call.shared.clock.now())?.ok_or_else(bad_signature)?;
    let request = file.request.as_ref();
    let expires = signed_until(call, &Method::PUT, request.file_size())?;
    refuse_expired(call, expires)?;
    check_length(&call.headers, request.file_size())?;
    request.check_headers(id, &call.headers)?;

    let content = receive(call, request).await?;
    // The store looks again at the end: a transfer that outlives its URL is lost.
    refuse_expired(call, expires)?;
    let etag = HeaderValue::try_from(format!("\"{}\"", hex::encode(content.sha256)))
        .map_err(|_| Refusal::internal("etag"))?;
    let commit = A::files(&call.shared).commit(id, content, call.shared.clock.now())?;
    if commit == Commit::Stored {
        watch_scan::<A>(&call.shared, id);
    }
    match commit {
        Commit::Stored | Commit::Replaced | Commit::Unchanged => {
            let mut response = Response::new(Body::empty());
            response.headers_mut().insert(ETAG, etag);
            Ok(response)
        }
        Commit::TooLate => Err(Refusal::new(
            StatusCode::CONFLICT,
            "InvalidObjectState",
            "The file has been scanned and cannot be replaced",
        )),
    }
}

/// `GET` of the bytes of a cleared file.
pub(crate) async fn get<A: Announced>(call: &mut Call) -> Result<Response, Refusal> {
    refuse_authorization(&call.headers)?;
    let id = file_id::<A>(call)?;
    let expires = signed_until(call, &Method::GET, 0)?;
    refuse_expired(call, expires)?;
    let missing = || Refusal::new(StatusCode::NOT_FOUND, "NoSuchKey", "The file does not exist");
    let file = A::files(&call.shared).view(id, call.shared.clock.now())?.ok_or_else(missing)?;
    let Phase::Judged { verdict, path } = file.phase else { return Err(missing()) };
    if !verdict.is_cleared() {
        return Err(missing());
    }

    let opened = File::open(path.as_ref()).await.map_err(|_| Refusal::internal("open content"))?;
    let header = |text: &str| HeaderValue::from_str(text).map_err(|_| Refusal::internal("header"));
    let mut response = Response::new(Body::from_stream(ReaderStream::with_capacity(opened, BUFFER_BYTES)));
    let headers = response.headers_mut();
    headers.insert(CONTENT_LENGTH, file.request.file_size().into());
    headers.insert(CONTENT_TYPE, header(file.request.content_type())?);
    headers.insert(CONTENT_DISPOSITION, header(&disposition(file.request.file_name()))?);
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    Ok(response)
}

/// Streams the body to a temporary file, which is removed again if anything goes wrong.
async fn receive(call: &mut Call, request: &impl Announced) -> Result<Content, Refusal> {
    let (file, path) = temporary_file(call.shared.directory.path().to_owned())
        .await
        .map_err(|_| Refusal::internal("create content"))?;
    let failed = |_: io::Error| Refusal::internal("write content");
    let mut writer = BufWriter::with_capacity(BUFFER_BYTES, file);
    let mut hasher = Sha256::new();
    let mut scanner = Scanner::new(request.content_type());
    let mut received: u64 = 0;
    while let Some(chunk) = call.body.chunk().await? {
        writer.write_all(&chunk).await.map_err(failed)?;
        hasher.update(&chunk);
        scanner.update(&chunk);
        received = received.saturating_add(chunk.len().try_into().unwrap_or(u64::MAX));
    }
    writer.flush().await.map_err(failed)?;
    if received != request.file_size() {
        return Err(Refusal::body_lost());
    }
    Ok(Content { path, sha256: hasher.finalize().into(), verdict: scanner.finish() })
}

async fn temporary_file(directory: PathBuf) -> io::Result<(File, TempPath)> {
    let created = tokio::task::spawn_blocking(move || NamedTempFile::new_in(directory));
    let (file, path) = created.await.map_err(io::Error::other)??.into_parts();
    Ok((File::from_std(file), path))
}

/// A bearer token must never reach an object store: it would lend the platform's powers to a third party.
fn refuse_authorization(headers: &HeaderMap) -> Result<(), Refusal> {
    if headers.contains_key(AUTHORIZATION) {
        return Err(invalid_argument(
            "Only one authentication mechanism is allowed: the signature in the URL",
        ));
    }
    Ok(())
}

fn check_length(headers: &HeaderMap, file_size: u64) -> Result<(), Refusal> {
    let Some(length) = headers.get(CONTENT_LENGTH).filter(|_| !headers.contains_key(TRANSFER_ENCODING))
    else {
        return Err(Refusal::new(
            StatusCode::LENGTH_REQUIRED,
            "MissingContentLength",
            "The Content-Length header is required",
        ));
    };
    if length.as_bytes() != file_size.to_string().as_bytes() {
        return Err(invalid_argument("The Content-Length differs from the announced file size"));
    }
    Ok(())
}

/// A plain name as it is; any other one in the encoding of RFC 8187.
fn disposition(file_name: &str) -> String {
    if file_name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte)) {
        return format!("attachment; filename=\"{file_name}\"");
    }
    let form: String = url::form_urlencoded::byte_serialize(file_name.as_bytes()).collect();
    format!("attachment; filename*=UTF-8''{}", form.replace('+', "%20").replace('*', "%2A"))
}

fn file_id<A: Announced>(call: &Call) -> Result<Uuid, Refusal> {
    Uuid::parse_str(call.param(A::ID_PARAM)).map_err(|_| bad_signature())
}

fn signed_until(call: &Call, method: &Method, length: u64) -> Result<u64, Refusal> {
    call.shared.signer.check(method, &call.path, call.query.as_deref(), length).ok_or_else(bad_signature)
}

fn refuse_expired(call: &Call, expires: u64) -> Result<(), Refusal> {
    if call.shared.clock.unix_seconds() >= expires {
        return Err(Refusal::new(StatusCode::FORBIDDEN, "AccessDenied", "Request has expired"));
    }
    Ok(())
}

pub(crate) fn bad_signature() -> Refusal {
    Refusal::new(
        StatusCode::FORBIDDEN,
        "SignatureDoesNotMatch",
        "The signature in the URL does not match the request",
    )
}

pub(crate) fn invalid_argument(message: &'static str) -> Refusal {
    Refusal::new(StatusCode::BAD_REQUEST, "InvalidArgument", message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_name_makes_a_header_that_gives_it_back() {
        for (name, expected) in [
            ("a-b_c.txt", "attachment; filename=\"a-b_c.txt\""),
            ("a \"b\".txt", "attachment; filename*=UTF-8''a%20%22b%22.txt"),
            ("+*'%\r\n", "attachment; filename*=UTF-8''%2B%2A%27%25%0D%0A"),
            ("\u{e9}", "attachment; filename*=UTF-8''%C3%A9"),
        ] {
            assert_eq!(disposition(name), expected);
            assert!(HeaderValue::from_str(&disposition(name)).is_ok());
        }
    }
}
