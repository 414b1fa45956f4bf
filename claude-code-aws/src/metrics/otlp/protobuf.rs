//! Protocol buffers' wire format, as much of it as OTLP's requests need: <https://protobuf.dev/programming-guides/encoding/>.

/// A message in the making.
#[derive(Clone, Debug, Default)]
pub(super) struct Message(Vec<u8>);

/// The value of an attribute.
#[derive(Clone, Copy, Debug)]
pub(super) enum Value<'a> {
    Text(&'a str),
    Bool(bool),
    Int(u64),
    Double(f64),
    /// A list of one.
    List(&'a str),
}

const VARINT: u32 = 0;
const FIXED64: u32 = 1;
const LENGTH: u32 = 2;

impl Message {
    pub(super) fn into_bytes(self) -> Vec<u8> {
        self.0
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The fields of another message of the same kind.
    pub(super) fn append(&mut self, other: &Message) {
        self.0.extend_from_slice(&other.0);
    }

    /// An integer, an enumeration or a truth value.
    pub(super) fn int(&mut self, field: u32, number: u64) {
        self.tag(field, VARINT);
        self.varint(number);
    }

    pub(super) fn fixed64(&mut self, field: u32, number: u64) {
        self.tag(field, FIXED64);
        self.0.extend_from_slice(&number.to_le_bytes());
    }

    pub(super) fn double(&mut self, field: u32, number: f64) {
        self.fixed64(field, number.to_bits());
    }

    /// A text, bytes, or a message that is whole.
    pub(super) fn bytes(&mut self, field: u32, bytes: impl AsRef<[u8]>) {
        let bytes = bytes.as_ref();
        self.tag(field, LENGTH);
        self.varint(bytes.len() as u64);
        self.0.extend_from_slice(bytes);
    }

    /// A message within this one.
    pub(super) fn message(&mut self, field: u32, write: impl FnOnce(&mut Message)) {
        let mut inner = Message::default();
        write(&mut inner);
        self.bytes(field, inner.0);
    }

    /// Numbers of eight bytes, packed.
    pub(super) fn packed64(&mut self, field: u32, numbers: impl ExactSizeIterator<Item = u64>) {
        self.tag(field, LENGTH);
        self.varint(8 * numbers.len() as u64);
        numbers.for_each(|number| self.0.extend_from_slice(&number.to_le_bytes()));
    }

    /// OTLP's `KeyValue`.
    pub(super) fn attribute(&mut self, field: u32, name: &str, value: Value<'_>) {
        self.message(field, |pair| {
            pair.bytes(1, name);
            pair.message(2, |any| any.any(value));
        });
    }

    /// OTLP's `AnyValue`.
    fn any(&mut self, value: Value<'_>) {
        match value {
            Value::Text(text) => self.bytes(1, text),
            Value::Bool(truth) => self.int(2, u64::from(truth)),
            Value::Int(number) => self.int(3, number.min(i64::MAX as u64)),
            Value::Double(number) => self.double(4, number),
            Value::List(text) => self.message(5, |list| list.message(1, |any| any.any(Value::Text(text)))),
        }
    }

    fn tag(&mut self, field: u32, wire: u32) {
        self.varint(u64::from(field << 3 | wire));
    }

    fn varint(&mut self, mut number: u64) {
        while number > 0x7f {
            self.0.push((number & 0x7f) as u8 | 0x80);
            number >>= 7;
        }
        self.0.push(number as u8);
    }
}
