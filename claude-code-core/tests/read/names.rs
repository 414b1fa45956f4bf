//! Names in all the places where models write them, and what is none.

use claude_code_core::read::read_answer;

fn name(text: &str) -> Option<String> {
    let answer = read_answer(text);
    assert_eq!(answer.files.len(), 1, "{text}");
    answer.files[0].path.clone()
}

fn code(above: &str, info: &str, content: &str) -> String {
    format!("{above}```{info}\n{content}\n```\n")
}

#[test]
fn finds_names_in_info_strings() {
    for (info, path) in [
        ("python app.py", "app.py"),
        ("python:app.py", "app.py"),
        ("typescript:cow.ts", "cow.ts"),
        ("python title=\"src/app.py\"", "src/app.py"),
        ("{.python filename=app.py}", "app.py"),
        ("js file='a b.js'", "a b.js"),
        ("src/app.py", "src/app.py"),
        ("app.py", "app.py"),
        ("js // src/x.js", "src/x.js"),
        ("dockerfile:Dockerfile", "Dockerfile"),
    ] {
        assert_eq!(name(&code("", info, "x")).as_deref(), Some(path), "{info}");
    }
}

#[test]
fn finds_names_above_the_fence() {
    for above in [
        "### src/app.py\n",
        "### `src/app.py`\n\n",
        "## 2. src/app.py\n",
        "### File: src/app.py\n",
        "**src/app.py**\n\n",
        "**`src/app.py`**:\n",
        "`src/app.py`\n",
        "`src/app.py`:\n",
        "src/app.py\n",
        "src/app.py:\n",
        "File: `src/app.py`\n",
        "1. **src/app.py**\n",
        "- `src/app.py`:\n",
        "**src/app.py:**\n",
        "### 📄 `src/app.py`\n",
        "**File: `src/app.py`**\n",
        "And here is `src/app.py`:\n\n",
        "### `src/app.py` - the service\n",
        "Create `src/app.py`:\n",
        "## Code: src/app.py\n",
        "#### `src/app.py` (new)\n",
        "## Usage (`src/app.py`)\n",
        "#### File 3: `src/app.py`\n",
        "**1. Service (src/app.py)**\n",
        "<file path=\"src/app.py\">\n",
    ] {
        assert_eq!(name(&code(above, "python", "x")).as_deref(), Some("src/app.py"), "{above}");
    }
}

#[test]
fn finds_names_in_the_first_comment_and_leaves_it_there() {
    for (info, line, path) in [
        ("python", "# app.py", "app.py"),
        ("python", "## src/main.py", "src/main.py"),
        ("ts", "// src/x.ts", "src/x.ts"),
        ("html", "<!-- index.html -->", "index.html"),
        ("sql", "-- schema.sql", "schema.sql"),
        ("css", "/* style.css */", "style.css"),
        ("python", "# File: app.py", "app.py"),
        ("", "# Dockerfile", "Dockerfile"),
        ("js", "// server.js - the routes", "server.js"),
        ("yaml", "# .github/dependabot.yml", ".github/dependabot.yml"),
    ] {
        let text = code("", info, &format!("{line}\nx"));
        assert_eq!(name(&text).as_deref(), Some(path), "{line}");
        assert_eq!(read_answer(&text).files[0].content, format!("{line}\nx\n"));
    }
    assert_eq!(name("```bash\n#!/bin/bash\n# run.sh\nls\n```\n").as_deref(), Some("run.sh"));
}

#[test]
fn invents_no_names() {
    for (above, info, content) in [
        ("pip install x\n", "", "ok"),
        ("python backend_service.py\n", "bash", "ok"),
        ("Install it:\n\n", "bash", "pip install x"),
        ("### Node.js\n", "js", "x()"),
        ("### Running app.py\n", "bash", "python app.py"),
        ("**app.py**\n", "bash", "python app.py"),
        ("The method is in `args.py`:\n", "python", "x = 1"),
        ("Let's modify `args.py`:\n", "python", "x = 1"),
        ("Here's the method to add to `args.py`:\n", "python", "x = 1"),
        ("### `Array.map`\n", "js", "x"),
        ("- main.py\n- game.py\n\n", "", "tree"),
        ("and/or\n", "", "x"),
        ("v1.2.3\n", "", "x"),
        ("Version 1.2\n", "", "x"),
        ("https://example.com/a.py\n", "", "x"),
        ("### `/api/users`\n", "json", "{}"),
        ("", "bash", "# then run app.py"),
        ("", "python", "# app"),
        ("", "Dockerfile", "FROM scratch"),
        ("", "node.js", "x()"),
        ("├── app.py\n", "", "x"),
        ("## Output (`main.go`)\n", "", "ok"),
        ("", "bash", "# app.py - run it first"),
        ("", "bash python app.py --now", "x"),
        ("app.py\n\n\n\n", "python", "x"),
        ("", "", "python decrypt.py"),
    ] {
        assert_eq!(name(&code(above, info, content)), None, "{above:?} {info:?} {content:?}");
    }
}

#[test]
fn names_data_in_fences_without_a_language() {
    assert_eq!(
        name(&code("### Needs (`requirements.txt`)\n", "", "flask")).as_deref(),
        Some("requirements.txt")
    );
}

#[test]
fn a_name_does_not_reach_over_another_block() {
    let answer = read_answer("**a.py**\n```python\na\n```\n\n```python\nb\n```\n");
    assert_eq!(answer.files[1].path, None);
}

#[test]
fn keeps_the_language_of_unnamed_blocks() {
    let answer = read_answer("```go\nx\n```\n\n```zig\ny\n```\n\n```\nz\n```\n");
    let languages: Vec<_> = answer.files.iter().map(|f| f.language.as_str()).collect();
    assert_eq!(languages, ["go", "zig", "text"]);
}
