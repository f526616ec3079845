use super::made;
use crate::any::time::Sleep;
use crate::backend::AsyncIoSleep;

made! {
    AsyncIoSleep => Sleep, async_io;
}
