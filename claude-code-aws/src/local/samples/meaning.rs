//! What a prompt asks for, compared by its words: case, punctuation, word order, inflection and filler words do not count;
//! language, verb and object must agree, and no word may be left over.

/// The words of a prompt.
pub(super) struct Wish {
    /// Stems in order.
    stems: Vec<String>,
    /// Which of them are words that any prompt may have.
    fillers: Vec<bool>,
    /// The languages that it names.
    languages: Vec<String>,
}

/// What all prompts for one sample have in common.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Meaning {
    /// Of each group one word at least.
    needed: Vec<Vec<String>>,
    /// Words that change nothing.
    may: Vec<String>,
    /// Words that must come in this order: JSON from CSV is not CSV from JSON.
    order: Vec<String>,
    /// Languages that are no more than objects of the task: a Dockerfile for Python.
    objects: Vec<String>,
    /// Whether the sample's own prompt names its language.
    is_of_language: bool,
}

/// Words that say nothing about the task. `not`, `no` and `without` do.
const FILLERS: &str = "a an the this that these those which who whose it its one some any my me i we us you your \
    to for of in on at as by with from into using use uses used via and or if when then so do does did done be is are was \
    am can could would should will shall may might must need needs needed want wants wanted like please pls plz kindly \
    thanks thank hi hey dear there just really very quick quickly simple simply basic small short little tiny nice good \
    clean easy minimal help let lets how what write writes writing written create creates creating make makes making build \
    builds building generate generates generating implement implements implementing implementation develop code codes \
    coding program programs function functions func fn method methods script scripts snippet example sample give gives \
    given show produce provide provides design define add new get gets take takes taking return returns returning accept \
    accepts input inputs output outputs argument arguments parameter parameters result results whether such n";

/// Other names of languages, and languages by their own.
const LANGUAGES: [(&str, &str); 34] = [
    ("python", "python"),
    ("python3", "python"),
    ("py", "python"),
    ("rust", "rust"),
    ("rs", "rust"),
    ("javascript", "javascript"),
    ("js", "javascript"),
    ("jsx", "javascript"),
    ("ecmascript", "javascript"),
    ("node", "javascript"),
    ("nodejs", "javascript"),
    ("typescript", "typescript"),
    ("ts", "typescript"),
    ("tsx", "typescript"),
    ("go", "go"),
    ("golang", "go"),
    ("java", "java"),
    ("c", "c"),
    ("cpp", "cpp"),
    ("csharp", "csharp"),
    ("cs", "csharp"),
    ("php", "php"),
    ("ruby", "ruby"),
    ("rb", "ruby"),
    ("bash", "bash"),
    ("sh", "bash"),
    ("shell", "bash"),
    ("sql", "sql"),
    ("postgresql", "sql"),
    ("kotlin", "kotlin"),
    ("swift", "swift"),
    ("scala", "scala"),
    ("perl", "perl"),
    ("powershell", "powershell"),
];

/// Words with signs in them, and names in two words.
const SPELLINGS: [(&str, &str); 11] = [
    ("c++", " cpp "),
    ("c#", " csharp "),
    ("node.js", " node "),
    ("java script", " javascript "),
    ("type script", " typescript "),
    ("e-mail", "email"),
    ("fizz buzz", " fizzbuzz "),
    ("quick sort", " quicksort "),
    ("quick-sort", " quicksort "),
    ("back up", " backup "),
    ("backs up", " backup "),
];

/// A language by the one of its names that samples go by; `tsx` is TypeScript.
pub(super) fn language(name: &str) -> String {
    let name = name.to_lowercase();
    let name = match name.as_str() {
        "c++" => "cpp",
        "c#" => "csharp",
        other => other,
    };
    LANGUAGES.iter().find(|(known, _)| *known == name).map_or(name, |(_, language)| language).to_owned()
}

impl Wish {
    pub(super) fn new(prompt: &str) -> Self {
        let mut text = prompt.to_lowercase();
        for (spelling, word) in SPELLINGS {
            text = text.replace(spelling, word);
        }
        let words: Vec<&str> = text.split(|c: char| !c.is_alphanumeric()).filter(|w| !w.is_empty()).collect();
        let mut wish = Wish { stems: Vec::new(), fillers: Vec::new(), languages: Vec::new() };
        for (at, word) in words.iter().enumerate() {
            if let Some((_, language)) = LANGUAGES.iter().find(|(name, _)| name == word) {
                wish.speaks(language);
                continue;
            }
            // "tests for x" asks for tests, "x with tests" for x.
            let is_object = words.get(at + 1).is_some_and(|next| matches!(*next, "for" | "of" | "against"));
            let stem = stem(word);
            let is_test = stem == "test" && is_object;
            wish.stems.push(if is_test { self::stem("testfor") } else { stem });
            wish.fillers.push(FILLERS.split_whitespace().any(|filler| filler == *word));
        }
        wish
    }

    /// Adds a language that is asked for.
    pub(super) fn speaks(&mut self, language: &str) {
        if !self.languages.iter().any(|known| known == language) {
            self.languages.push(language.to_owned());
        }
    }

    /// How near a sample is: words in common in thousandths of all words, and more for its language.
    pub(super) fn likeness(&self, prompt: &str, language: &str) -> usize {
        let other = Wish::new(prompt);
        let (mine, theirs) = (self.told(), other.told());
        let shared = mine.iter().filter(|stem| theirs.contains(stem)).count();
        let all = mine.len() + theirs.len() - shared;
        let speaks = self.languages.iter().any(|known| known == language);
        (shared * 1000).checked_div(all).unwrap_or(0) + usize::from(speaks) * 150
    }

    /// The stems that are no filler words.
    fn told(&self) -> Vec<&String> {
        self.stems.iter().zip(&self.fillers).filter(|(_, filler)| !**filler).map(|(stem, _)| stem).collect()
    }
}

impl Meaning {
    /// Of a sample with this prompt in this language: groups of words that are needed, their alternatives between slashes; words that may be
    /// there; words in order.
    pub(super) fn new(prompt: &str, language: &str, needed: &str, may: &str, order: &str) -> Self {
        let stems = |words: &str| words.split([' ', '/']).filter(|w| !w.is_empty()).map(stem).collect();
        Meaning {
            needed: needed.split_whitespace().map(stems).collect(),
            may: stems(may),
            order: stems(order),
            objects: Wish::new(may).languages,
            is_of_language: Wish::new(prompt).languages.iter().any(|named| named == language),
        }
    }

    /// Whether a prompt asks for this in this language, and for nothing else.
    pub(super) fn fits(&self, wish: &Wish, language: &str) -> bool {
        let has = |stem: &String| wish.stems.contains(stem);
        let is_known =
            |stem: &&String| self.may.contains(stem) || self.needed.iter().any(|g| g.contains(stem));
        self.speaks(wish, language)
            && self.needed.iter().all(|group| group.iter().any(has))
            && wish.told().iter().all(is_known)
            && self.is_in_order(wish)
    }

    /// A prompt without a language gets Python, or what goes by a name of its own, such as React.
    fn speaks(&self, wish: &Wish, language: &str) -> bool {
        match wish.languages.as_slice() {
            [] => language == "python" || !self.is_of_language,
            named => named.iter().all(|named| named == language || self.objects.contains(named)),
        }
    }

    fn is_in_order(&self, wish: &Wish) -> bool {
        let places: Vec<_> =
            self.order.iter().map(|word| wish.stems.iter().position(|stem| stem == word)).collect();
        places.is_sorted()
    }
}

/// Endings of inflected words, longer ones first.
const ENDINGS: [&str; 18] = [
    "ations", "ation", "ators", "ating", "ator", "ated", "ates", "ings", "ers", "ors", "ions", "ate", "ing",
    "ion", "er", "or", "ed", "es",
];

/// A word without its ending: `validates`, `validator` and `validation` are one. What is left has three letters or more.
fn stem(word: &str) -> String {
    let word =
        word.strip_suffix("ies").filter(|rest| rest.len() > 2).map_or(word.to_owned(), |w| format!("{w}y"));
    let ends = |ending: &&&str| word.len() >= ending.len() + 3 && word.ends_with(**ending);
    let cut = ENDINGS.iter().find(ends).map_or(word.len(), |ending| word.len() - ending.len());
    let mut stem = word.get(..cut).unwrap_or(&word).to_owned();
    if stem.len() == word.len() && stem.len() > 3 && stem.ends_with('s') && !stem.ends_with("ss") {
        stem.pop();
    }
    let twice = stem.chars().rev().take(2).collect::<Vec<_>>();
    if matches!(twice[..], [a, b] if a == b && a != 's') && stem.len() > 3 {
        stem.pop();
    }
    if stem.len() > 3 && stem.ends_with('e') {
        stem.pop();
    }
    stem
}
