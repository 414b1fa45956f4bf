//! Markdown in fences, fences closed too early, twice or not at all.

use claude_code_core::read::{Answer, read_answer};

use super::merge;

fn contents(answer: &Answer) -> Vec<&str> {
    answer.files.iter().map(|f| f.content.as_str()).collect()
}

fn read(text: &str) -> Answer {
    let (pieces, answer) = merge::read([text], None);
    merge::check_previews(&pieces, &answer);
    answer
}

#[test]
fn ends_a_markdown_block_at_the_answer_s_end() {
    let answer = read("```markdown\n# A\n\n```\nnpm i\n```\n\nDone!\n```\n");
    assert_eq!(contents(&answer), ["# A\n\n```\nnpm i\n```\n\nDone!\n"]);
    assert!(answer.complete);
}

#[test]
fn ends_a_markdown_block_that_ends_with_a_block() {
    let text = "```md\n# A\n```sh\nrun\n```\n```\n\nThen `b.py`:\n\n```python\nb = 1\n```\n";
    let answer = read(text);
    assert_eq!(contents(&answer), ["# A\n```sh\nrun\n```\n", "b = 1\n"]);
    assert!(answer.complete);
}

#[test]
fn takes_a_drawn_tree_for_a_block_of_the_markdown() {
    let content = "# A\n\n## Files\n```\na/\n├── app.py\n└── README.md\n```\n\n## Run\n\n```bash\nrun\n```\n";
    let answer = read(&format!("**README.md**\n```markdown\n{content}```\n\n**b.py**\n```python\nb\n```\n"));
    assert_eq!(contents(&answer), [content, "b\n"]);
}

#[test]
fn ends_markdown_before_a_name_and_a_fence_without_a_language() {
    let answer = read("```markdown\n# A\n```\n**b.txt**\n```\nb\n```\n");
    assert_eq!(contents(&answer), ["# A\n", "b\n"]);
    assert_eq!(answer.files[1].path.as_deref(), Some("b.txt"));
}

#[test]
fn reads_prose_directly_after_a_markdown_block_as_prose() {
    let answer = read("```markdown\n# A\nMIT\n```\nHope this helps!\n");
    assert_eq!(contents(&answer), ["# A\nMIT\n"]);
    assert_eq!(answer.text, "Hope this helps!\n");
}

#[test]
fn says_that_markdown_cut_in_an_inner_block_is_incomplete() {
    let answer = read("```markdown\n# A\n\nInstall:\n\n```\nnpm i");
    assert_eq!(contents(&answer), ["# A\n\nInstall:\n\n```\nnpm i"]);
    assert!(!answer.complete);
}

#[test]
fn takes_a_file_whose_name_is_markdown_for_markdown() {
    let answer = read("**docs/USE.md**\n```\n# A\n```sh\nrun\n```\nEnd.\n```\n");
    assert_eq!(contents(&answer), ["# A\n```sh\nrun\n```\nEnd.\n"]);
    assert_eq!(answer.files[0].path.as_deref(), Some("docs/USE.md"));
}

#[test]
fn reads_what_follows_a_long_fence_closed_by_a_short_one() {
    let text = "````markdown\n# A\n```sh\nrun\n```\nEnd.\n```\n\n**app.py**\n```python\na = 1\n```\n\nBye.\n";
    let answer = read(text);
    assert_eq!(contents(&answer), ["# A\n```sh\nrun\n```\nEnd.\n", "a = 1\n"]);
    assert_eq!(answer.files[1].path.as_deref(), Some("app.py"));
    assert!(answer.complete);
    assert_eq!(answer.notes.len(), 1, "{:?}", answer.notes);
}

#[test]
fn keeps_a_long_fence_that_is_cut_whole() {
    let answer = read("````markdown\n# A\n```sh\nrun\n```\n\nAnd th");
    assert_eq!(contents(&answer), ["# A\n```sh\nrun\n```\n\nAnd th"]);
    assert!(!answer.complete);
}

#[test]
fn reads_a_second_closing_fence_as_text() {
    let answer = read("```python\na = 1\n```\n```\n\nThen:\n\n```python\nb = 2\n```\n");
    assert_eq!(contents(&answer), ["a = 1\n", "b = 2\n"]);
    assert!(answer.complete);
    let at_end = read("```python\na = 1\n```\n```");
    assert_eq!(contents(&at_end), ["a = 1\n"]);
    assert!(at_end.complete);
}

#[test]
fn takes_a_fence_in_a_string_for_a_part_of_the_code() {
    let code = "print('''Use:\n\n```js\nf()\n```\n\n''')\n";
    let answer = read(&format!("```python\n{code}```\n"));
    assert_eq!(contents(&answer), [code]);
    assert!(answer.complete && answer.text.is_empty());
}

#[test]
fn takes_the_indent_of_a_list_item_off_its_block() {
    let answer = read("1. Create `app.py`:\n\n   ```python\n   if x:\n       y()\n   ```\n\n2. Done.\n");
    assert_eq!(contents(&answer), ["if x:\n    y()\n"]);
    assert_eq!(answer.files[0].path.as_deref(), Some("app.py"));
}

#[test]
fn says_that_a_block_in_a_list_item_without_an_end_is_incomplete() {
    let answer = read("1. One:\n   ```sh\n   run\n\n2. Two\n");
    assert_eq!(contents(&answer), ["run\n\n"]);
    assert!(!answer.files[0].complete);
    assert_eq!(answer.text, "1. One:\n2. Two\n");
}

#[test]
fn reads_code_without_a_fence_as_one_file() {
    let answer = read_answer("def f(x):\n    return x + 1\n\n\nprint(f(1))\n");
    assert_eq!(answer.files.len(), 1);
    assert_eq!((answer.files[0].path.as_deref(), answer.files[0].language.as_str()), (None, "python"));
}

#[test]
fn reads_prose_without_a_fence_as_text() {
    for text in [
        "Use a queue.\n",
        "import the module first, then call it.\n\nIt works.\n",
        "- main.py\n- game.py\n",
        "",
    ] {
        let answer = read_answer(text);
        assert!(answer.files.is_empty(), "{text}");
        assert_eq!(answer.text, text);
        assert!(answer.complete);
    }
}

#[test]
fn leaves_out_files_beyond_the_bounds_and_says_so() {
    let many = read(&"```\na\n```\n\n".repeat(501));
    assert_eq!((many.files.len(), many.complete), (500, false));
    let long = read(&format!("```text\n{}```\n", "x\n".repeat(1_100_000)));
    assert!(!long.files[0].complete && long.files[0].size() == 2_000_000);
    assert_eq!(long.notes.len(), 1);
}
