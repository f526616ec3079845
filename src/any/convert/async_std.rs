use super::runtime;
use crate::backend::AsyncStd;

runtime!(AsyncStd, from_async_std, into_async_std);
