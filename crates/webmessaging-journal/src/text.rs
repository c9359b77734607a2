//! Texts that do not show themselves: what people wrote, and locations whose query is a credential.

use std::fmt;

use serde::{Deserialize, Serialize};

macro_rules! hidden {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// Wraps a text.
            pub fn new(text: impl Into<String>) -> Self {
                Self(text.into())
            }

            /// The text itself.
            pub fn expose(&self) -> &str {
                &self.0
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self(text.to_owned())
            }
        }

        impl From<String> for $name {
            fn from(text: String) -> Self {
                Self(text)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self)
            }
        }
    };
}

hidden! {
    /// A text that a person wrote or that tells of one: the name of a file, an address. `Debug` and `Display` show its
    /// length only; serde writes it as it is.
    PrivateText
}

hidden! {
    /// Where a file is stored. It can be a presigned URL, whose query is a credential.
    ///
    /// `Debug` and `Display` show the host only, and no audit record has more. serde writes it **whole**, because the
    /// durable form of an event is what the file is archived from: whatever keeps serialized events keeps credentials.
    ///
    /// # Examples
    /// ```
    /// use webmessaging_journal::StorageLocation;
    ///
    /// let location = StorageLocation::new("https://bucket.example/a/b.pdf?signature=s3cret");
    /// assert_eq!(location.to_string(), "storage at bucket.example");
    /// ```
    StorageLocation
}

impl fmt::Display for PrivateText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes", self.0.len())
    }
}

impl StorageLocation {
    /// The host, where there is one.
    pub fn host(&self) -> Option<&str> {
        let (_, rest) = self.0.split_once("://")?;
        let authority = rest.split(['/', '?', '#', '\\']).next()?;
        // What stands before the last `@` is a user name and a password.
        let host = authority.rsplit('@').next()?;
        let is_plain = |c: char| c.is_ascii_alphanumeric() || ".-:[]_".contains(c);
        (!host.is_empty() && host.len() <= 255 && host.chars().all(is_plain)).then_some(host)
    }
}

impl fmt::Display for StorageLocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "storage at {}", self.host().unwrap_or("unknown host"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_location_shows_its_host_and_nothing_else() {
        for (location, shown) in [
            ("https://b.example/p/john.pdf?X-Amz-Signature=s3cret", "b.example"),
            ("https://user:s3cret@b.example:8443?s3cret", "b.example:8443"),
            ("https://b.example#s3cret", "b.example"),
            ("s3://bucket/key", "bucket"),
            ("https://?s3cret", "unknown host"),
            ("https://s3cret=@/", "unknown host"),
            ("https://a b?s3cret", "unknown host"),
            ("s3cret", "unknown host"),
            ("", "unknown host"),
        ] {
            let location = StorageLocation::new(location);
            assert_eq!(location.to_string(), format!("storage at {shown}"));
            assert_eq!(format!("{location:?}"), format!("StorageLocation(storage at {shown})"));
        }
    }

    #[test]
    fn a_private_text_shows_its_length() {
        assert_eq!(format!("{:?}", PrivateText::new("passport-of-jane.pdf")), "PrivateText(20 bytes)");
    }
}
