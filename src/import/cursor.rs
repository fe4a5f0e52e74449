//! Bytes of a file, taken one after the other. Nothing is read behind their end, whatever a length says.

/// What is left of the bytes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cursor<'a>(pub(super) &'a [u8]);

/// Which end of a number comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    Little,
    Big,
}

impl<'a> Cursor<'a> {
    /// The next bytes.
    ///
    /// # Errors
    /// Where there are fewer.
    pub(super) fn take(&mut self, count: usize) -> Result<&'a [u8], String> {
        let Some((taken, rest)) = self.0.split_at_checked(count) else {
            return Err(format!("it ends where {count} more bytes should be"));
        };
        self.0 = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], String> {
        // As many as were asked for.
        self.take(N).map(|bytes| bytes.try_into().unwrap_or([0; N]))
    }

    pub(super) fn byte(&mut self) -> Result<u8, String> {
        self.array::<1>().map(|[byte]| byte)
    }

    pub(super) fn u32(&mut self, order: Order) -> Result<u32, String> {
        let bytes = self.array()?;
        Ok(if order == Order::Big { u32::from_be_bytes(bytes) } else { u32::from_le_bytes(bytes) })
    }

    pub(super) fn f64(&mut self, order: Order) -> Result<f64, String> {
        let bytes = self.array()?;
        Ok(if order == Order::Big { f64::from_be_bytes(bytes) } else { f64::from_le_bytes(bytes) })
    }

    /// A count of things of a size, for all of which there are bytes.
    pub(super) fn count(&mut self, order: Order, size: usize) -> Result<usize, String> {
        let count = self.u32(order)? as usize;
        if count.saturating_mul(size) > self.0.len() {
            return Err(format!("it says that {count} positions or parts follow, and ends before"));
        }
        Ok(count)
    }
}
