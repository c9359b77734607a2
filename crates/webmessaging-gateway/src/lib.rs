#![doc = include_str!("../README.md")]

pub mod widget;

#[doc(inline)]
pub use self::widget::{Widget, WidgetBuilder, WidgetError};
