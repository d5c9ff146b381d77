//! Lists and mappings between brackets.

use super::{Body, Build, Context, Reader};

impl<B: Build> Reader<'_, B> {
    /// What is between the bracket that stands here and the one that closes it.
    pub(super) fn flow(&mut self) -> Option<()> {
        let is_list = self.lines.byte() == b'[';
        let (body, end) = if is_list { (Body::List, b']') } else { (Body::mapping(), b'}') };
        self.open(self.lines.span(), true, body)?;
        self.skip_sign();
        while self.lines.byte() != end {
            if !is_list {
                self.flow_key()?;
            }
            self.flow_value()?;
            self.lines.skip_spaces();
            match self.lines.byte() {
                b',' => self.skip_sign(),
                byte if byte == end => {}
                _ => return None,
            }
        }
        self.lines.skip(1);
        self.close()
    }

    fn flow_key(&mut self) -> Option<()> {
        let key = self.lines.word(Context::Flow)?;
        // Behind a word without quotes, a colon needs a space.
        if self.lines.byte() != b':' || key.plain && self.lines.peek(1) != b' ' {
            return None;
        }
        self.scalar(key)?;
        self.skip_sign();
        Some(())
    }

    fn flow_value(&mut self) -> Option<()> {
        if matches!(self.lines.byte(), b'[' | b'{') {
            return self.flow();
        }
        let word = self.lines.word(Context::Flow)?;
        self.scalar(word)
    }

    fn skip_sign(&mut self) {
        self.lines.skip(1);
        self.lines.skip_spaces();
    }
}
