//! Reading protocol buffers without a schema: fields by number, as the wire format has them.

/// A field's value.
#[derive(Clone, Debug, PartialEq)]
pub enum Field {
    Int(u64),
    Fixed(u64),
    Bytes(Vec<u8>),
}

/// The fields of a message, in order. Panics over what is none.
#[derive(Clone, Debug)]
pub struct Fields(Vec<(u64, Field)>);

impl Fields {
    pub fn read(mut bytes: &[u8]) -> Self {
        let mut fields = Vec::new();
        while !bytes.is_empty() {
            let tag = varint(&mut bytes);
            let value = match tag & 7 {
                0 => Field::Int(varint(&mut bytes)),
                1 => Field::Fixed(u64::from_le_bytes(take(&mut bytes, 8).try_into().unwrap())),
                2 => {
                    let length = usize::try_from(varint(&mut bytes)).unwrap();
                    Field::Bytes(take(&mut bytes, length).to_vec())
                }
                wire => panic!("wire type {wire}"),
            };
            fields.push((tag >> 3, value));
        }
        Fields(fields)
    }

    /// All messages of this number.
    pub fn all(&self, number: u64) -> Vec<Fields> {
        let of = self.0.iter().filter(|(own, _)| *own == number);
        of.map(|(_, value)| match value {
            Field::Bytes(bytes) => Fields::read(bytes),
            other => panic!("{other:?} is no message"),
        })
        .collect()
    }

    /// The only message of this number.
    pub fn one(&self, number: u64) -> Fields {
        let [one] = self.all(number).try_into().unwrap();
        one
    }

    pub fn get(&self, number: u64) -> Option<&Field> {
        self.0.iter().find(|(own, _)| *own == number).map(|(_, value)| value)
    }

    pub fn bytes(&self, number: u64) -> Vec<u8> {
        match self.get(number) {
            Some(Field::Bytes(bytes)) => bytes.clone(),
            other => panic!("{other:?} are no bytes"),
        }
    }

    pub fn text(&self, number: u64) -> String {
        String::from_utf8(self.bytes(number)).unwrap()
    }

    pub fn number(&self, number: u64) -> u64 {
        match self.get(number) {
            Some(Field::Int(value) | Field::Fixed(value)) => *value,
            other => panic!("{other:?} is no number"),
        }
    }

    /// OTLP's attributes in this field, each value as text.
    pub fn attributes(&self, number: u64) -> std::collections::BTreeMap<String, String> {
        self.all(number).iter().map(|pair| (pair.text(1), shown(&pair.one(2)))).collect()
    }
}

fn shown(any: &Fields) -> String {
    match any.0.as_slice() {
        [(1, Field::Bytes(text))] => String::from_utf8(text.clone()).unwrap(),
        [(2, Field::Int(truth))] => (*truth == 1).to_string(),
        [(3, Field::Int(number))] => number.to_string(),
        [(4, Field::Fixed(bits))] => f64::from_bits(*bits).to_string(),
        [(5, Field::Bytes(list))] => {
            Fields::read(list).all(1).iter().map(shown).collect::<Vec<_>>().join(",")
        }
        other => panic!("{other:?} is no value"),
    }
}

fn take<'a>(bytes: &mut &'a [u8], length: usize) -> &'a [u8] {
    let (taken, rest) = bytes.split_at(length);
    *bytes = rest;
    taken
}

fn varint(bytes: &mut &[u8]) -> u64 {
    let mut number = 0;
    for shift in (0..64).step_by(7) {
        let byte = take(bytes, 1)[0];
        number |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return number;
        }
    }
    panic!("a number without an end");
}
