//! The one shape of all kinds: required fields in `new`, the others by setters, camel case for serde.

/// Declares a kind. A field is `name: Type`, or `name => Type` where anything that turns into the type will do.
macro_rules! kind {
    (
        $(#[$doc:meta])*
        pub struct $name:ident {
            $($(#[$required_meta:meta])* $required:ident $(: $plain:ty)? $(=> $into:ty)?,)*
        }
        optional {
            $($(#[$optional_meta:meta])* $optional:ident $(: $optional_plain:ty)? $(=> $optional_into:ty)?,)*
        }
    ) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
        #[serde(rename_all = "camelCase")]
        #[non_exhaustive]
        pub struct $name {
            $($(#[$required_meta])* pub $required: $($plain)? $($into)?,)*
            $(
                $(#[$optional_meta])*
                #[serde(default, skip_serializing_if = "Option::is_none")]
                pub $optional: Option<$($optional_plain)? $($optional_into)?>,
            )*
        }

        impl $name {
            /// What happened, with what has to be known of it.
            #[must_use]
            pub fn new($($required: $($plain)? $(impl Into<$into>)?),*) -> Self {
                Self {
                    $($required: $crate::kind::define::value!($required $(: $plain)? $(=> $into)?),)*
                    $($optional: None,)*
                }
            }

            $(
                #[doc = concat!("Sets `", stringify!($optional), "`; not known by default.")]
                #[must_use]
                pub fn $optional(
                    mut self,
                    $optional: $($optional_plain)? $(impl Into<$optional_into>)?,
                ) -> Self {
                    self.$optional = Some($crate::kind::define::value!(
                        $optional $(: $optional_plain)? $(=> $optional_into)?
                    ));
                    self
                }
            )*
        }
    };
}

macro_rules! value {
    ($name:ident: $plain:ty) => {
        $name
    };
    ($name:ident => $into:ty) => {
        $name.into()
    };
}

pub(crate) use {kind, value};
