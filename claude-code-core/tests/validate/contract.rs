//! The contract between files.

use super::told;

/// The one finding in these files.
fn finding(files: &[(&str, &str)]) -> String {
    let told = told(files);
    assert_eq!(told.len(), 1, "{told:#?}");
    told[0].clone()
}

#[test]
fn an_imported_name_is_defined_in_its_module() {
    let a = ("a.py", "from store import save, load\n\nsave(load())\n");
    let found = finding(&[a, ("store.py", "def save(x): ...\n\n\ndef lod(): ...\n")]);
    assert_eq!(
        found,
        "a.py:1:25: error: `load` is imported from store.py, which does not define it (did you mean `lod`?)"
    );
}

#[test]
fn a_relative_import_leads_to_a_file() {
    let files =
        [("app/__init__.py", ""), ("app/a.py", "from .model import M\n\nM()\n"), ("requirements.txt", "")];
    assert!(finding(&files).contains("app/a.py:1:20: warning: there is no module `.model`"));
    // One letter is mistyped: nothing else can be meant.
    let files = [
        ("app/__init__.py", ""),
        ("app/a.py", "from .storge import M\n\nM()\n"),
        ("app/storage.py", "class M: ...\n"),
    ];
    assert!(finding(&files).contains("app/a.py:1:21: error: there is no module `.storge`"));
}

#[test]
fn a_plain_import_within_a_package_means_no_file_beside_it() {
    let own = ("core/responses.py", "class Base:\n    pass\n");
    let user = ("core/mock.py", "import responses\n\nresponses.GET\n");
    assert_eq!(told(&[("core/__init__.py", ""), own, user]), [""; 0]);
    let found = finding(&[("core/store.py", "a = 1\n"), ("core/main.py", "import store\n\nstore.b\n")]);
    assert!(found.contains("core/store.py does not define `b`"), "a folder of scripts: {found}");
}

#[test]
fn a_call_on_a_module_finds_its_function() {
    let found = finding(&[("a.py", "import store as s\n\ns.lod()\n"), ("store.py", "def load(): ...\n")]);
    assert_eq!(found, "a.py:3:3: error: store.py does not define `lod` (did you mean `load`?)");
}

#[test]
fn a_method_is_one_of_its_class_where_the_class_is_certain() {
    let store = (
        "store.py",
        "class Store:\n    def load(self): ...\n\n    def run(self):\n        return self.load()\n",
    );
    let call = |text| told(&[store, ("a.py", text)]);
    assert_eq!(call("from store import Store\n\nstore = Store()\nstore.load()\n"), [""; 0]);
    for text in [
        "from store import Store\n\nstore = Store()\nstore.lod()\n",
        "from store import Store\n\n\ndef f(store: Store):\n    store.lod()\n",
        "from store import Store\n\n\nclass A:\n    def g(self) -> Store: ...\n\n    def f(self):\n        s = self.g()\n        s.lod()\n",
        "import store\n\n\ndef f(s: store.Store | None):\n    s.lod()\n",
        "from store import Store\n\n\nclass A:\n    def __init__(self, s: Store):\n        self.s = s\n\n    def f(self):\n        self.s.lod()\n",
    ] {
        let told = call(text);
        assert!(
            told.len() == 1 && told[0].contains("has no `lod` (did you mean `load`?)"),
            "{text}: {told:?}"
        );
    }
    assert_eq!(
        call(
            "from store import Store\nimport other\n\nstore = Store()\nstore = other.wrap(store)\nstore.lod()\n"
        ),
        [""; 0]
    );
    assert_eq!(
        call(
            "from store import Store\nfrom other import Base\n\n\nclass A(Store, Base): ...\n\n\nA().x\na = A()\na.lod()\n"
        ),
        [""; 0]
    );
}

#[test]
fn a_name_that_nothing_binds_is_an_error() {
    assert!(
        finding(&[("a.py", "def f(x: Optonal[int]):\n    return x\n")])
            .contains("a.py:1:10: error: `Optonal` is used")
    );
    let good = "import os.path\nfrom x import *\n\nfoo(os)\n";
    assert_eq!(told(&[("a.py", good)]), [""; 0]);
    assert_eq!(told(&[("a.py", "try:\n    unicode\nexcept NameError:\n    unicode = str\n")]), [""; 0]);
}

#[test]
fn a_list_of_requirements_counts_in_its_folder_and_below_and_only_if_it_is_whole() {
    let code = "import yaml\n\nyaml.safe_load('a')\n";
    let severity = |files: &[(&str, &str)]| {
        let found = finding(files);
        if found.contains(": error: ") { "error" } else { "warning" }
    };
    let list = "requests\n";
    assert_eq!(severity(&[("app/a.py", code), ("requirements.txt", list)]), "error");
    assert_eq!(severity(&[("api/a.py", code), ("api/requirements.txt", list)]), "error");
    assert_eq!(severity(&[("app/a.py", code), ("examples/shop/requirements.txt", list)]), "warning");
    assert_eq!(severity(&[("docs/conf_of.py", code), ("requirements.txt", list)]), "warning");
    let setup = "from setuptools import setup\n\nsetup(install_requires=open('requirements/default.txt').readlines())\n";
    assert_eq!(severity(&[("a.py", code), ("requirements.txt", list), ("setup.py", setup)]), "warning");
    let toml = "[project]\nname = \"a\"\ndynamic = [\"dependencies\"]\n";
    assert_eq!(severity(&[("a.py", code), ("pyproject.toml", toml)]), "warning");
}

#[test]
fn third_party_imports_are_in_the_requirements() {
    let code = "import os\nimport yaml\nimport jwt\nfrom google.cloud import storage\nimport starlette\n\n_ = (os, yaml, jwt, storage, starlette)\n";
    let found = told(&[("a.py", code), ("requirements.txt", "PyJWT>=2\ngoogle-cloud-storage\nfastapi\n")]);
    assert_eq!(found.len(), 2, "{found:#?}");
    assert!(
        found[0].contains("a.py:2:8: error: `yaml` is imported, but requirements.txt does not list `pyyaml`")
    );
    assert!(found[1].contains("warning: `starlette`"));
    assert_eq!(told(&[("a.py", code)]), [""; 0]);
}

#[test]
fn routes_of_the_readme_are_answered_by_the_code() {
    let code = "from flask import Flask, Blueprint\n\napp = Flask('a')\nv1 = Blueprint('v1', 'a', url_prefix='/v1')\n\n\n@v1.route('/a/<int:id>', methods=['GET'])\ndef a(id): ...\n\n\n@app.get('/b')\ndef b(): ...\n";
    let check = |readme: &str| told(&[("a.py", code), ("README.md", readme)]);
    assert_eq!(
        check(
            "GET /v1/a/{id}\n`GET` `/b`\ncurl http://localhost:5000/v1/a/7?x=1\nsee /etc/hosts and GET it\n"
        ),
        [""; 0]
    );
    let typo = check("- `GET /v1/a/{id}`\n- **GET** `/bb`\n");
    assert_eq!(
        typo,
        [
            "README.md:2:12: error: the route `GET /bb` is in the README, but no code answers it (did you mean `/b`?)"
        ]
    );
    assert!(
        check("GET /b\nGET /v1/a/1\nDELETE /b\n")[0].contains("README.md:3:8: error: the route `DELETE /b`")
    );
}

#[test]
fn sql_uses_the_tables_and_columns_that_are_created() {
    let schema = ("s.sql", "CREATE TABLE t (id INT PRIMARY KEY, name TEXT);\n");
    let sql = |text: &str| told(&[schema, ("a.py", &format!("def f(db):\n    db.execute(\"{text}\")\n"))]);
    for good in [
        "SELECT t.id, name AS n, count(*) FROM t GROUP BY name ORDER BY n",
        "INSERT INTO t (id, name) VALUES (?, ?)",
        "UPDATE t SET name = upper(name) WHERE id = ?",
        "SELECT x.id FROM t x JOIN (SELECT id FROM t) y ON x.id = y.id",
        "PRAGMA journal_mode",
    ] {
        assert_eq!(sql(good), [""; 0], "{good}");
    }
    for (bad, message) in [
        ("SELECT id FROM tt", "no CREATE TABLE makes the table `tt` (did you mean `t`?)"),
        ("SELECT nme FROM t", "the table `t` has no column `nme` (did you mean `name`?)"),
        ("SELECT x.nme FROM t AS x", "no column `nme`"),
        ("INSERT INTO t (id, nme) VALUES (1, 2)", "no column `nme`"),
        ("UPDATE t SET nme = 1", "no column `nme`"),
        ("DELETE FROM t WHERE nme = 1", "no column `nme`"),
        ("SELECT id FROM t ORDER BY nme DESC", "no column `nme`"),
    ] {
        let told = sql(bad);
        assert!(
            told.len() == 1 && told[0].contains(message) && told[0].starts_with("a.py:2:"),
            "{bad}: {told:?}"
        );
    }
}

#[test]
fn a_schema_fits_itself() {
    let found = told(&[(
        "s.sql",
        "CREATE TABLE t (id INTEGR, b TEXT, PRIMARY KEY (idd));\nCREATE INDEX i ON t (bb);\n",
    )]);
    assert_eq!(found.len(), 3, "{found:#?}");
    assert!(found[0].contains(
        "s.sql:1:20: error: the column `id` has the unknown type `integr` (did you mean `integer`?)"
    ));
    assert!(found[2].contains("s.sql:2:22: error: the table `t` has no column `bb`"));
}

#[test]
fn a_relative_import_in_typescript_finds_file_and_export() {
    let a = ("src/a.ts", "import b, { c } from './b';\nimport d from './d';\nb(c, d);\n");
    let found =
        told(&[a, ("src/b.ts", "export function cc() {}\nexport default 1;\n"), ("package.json", "{}")]);
    assert_eq!(found.len(), 2, "{found:#?}");
    assert!(found[0].contains("src/a.ts:1:13: error: src/b.ts does not export `c`"));
    assert!(found[1].contains("src/a.ts:2:15: warning: there is no file for the import `./d`"));
}

#[test]
fn says_nothing_about_names_of_a_file_with_a_syntax_error() {
    let found = finding(&[("a.py", "from b import c\n\nc()\n"), ("b.py", "def (\n")]);
    assert!(found.starts_with("b.py:1:"), "{found}");
}

#[test]
fn the_findings_of_one_check_end_with_the_fifth_and_the_count_of_the_others() {
    let code: String = (0..30).map(|n| format!("print(undefined_{n})\n")).collect();
    let found = told(&[("a.py", &code)]);
    assert_eq!(found.len(), 5, "{found:#?}");
    assert!(found[4].starts_with("a.py:5:") && found[4].ends_with("; and 25 more like it"), "{found:#?}");
    // Warnings come after: an error is never cut off by them.
    let imports: String = (0..8)
        .map(|n| format!("try:\n    from b import n{n}\nexcept ImportError:\n    n{n} = 1\n"))
        .collect();
    let found = told(&[("a.py", &format!("{imports}from b import last\n\nlast()\n")), ("b.py", "A = 1\n")]);
    assert!(found.iter().any(|f| f.contains("error: `last` is imported")), "{found:#?}");
}

#[test]
fn a_template_method_calls_what_its_heirs_define() {
    let good = [
        "class M:\n    def go(self):\n        self.run()\n\n\nclass A(M):\n    def run(self): ...\n",
        "class M:\n    def go(self):\n        self.run()\n\n\nclass B(M): ...\n\n\nclass A(B):\n    def run(self): ...\n",
        "class M:\n    def go(self):\n        self.run()\n\n\nclass R:\n    def run(self): ...\n\n\nclass A(M, R): ...\n",
        "class M:\n    def go(self):\n        self.run()\n\n\nfrom x import R\n\n\nclass A(M, R): ...\n",
        "class LogMixin:\n    def go(self):\n        self.run()\n",
        "from abc import ABC\n\n\nclass Job(ABC):\n    def go(self):\n        self.run()\n",
        "class M:\n    def go(self): ...\n\n\nclass A(M):\n    def run(self): ...\n\n\ndef f(m: M):\n    m.run()\n",
    ];
    for text in good {
        assert_eq!(told(&[("a.py", text)]), [""; 0], "{text}");
    }
    for text in [
        "class M:\n    def go(self):\n        self.run()\n\n\nclass A(M):\n    def other(self): ...\n",
        "class LogMixin:\n    def go(self):\n        self.goo()\n",
    ] {
        assert_eq!(told(&[("a.py", text)]).len(), 1, "{text}");
    }
}

#[test]
fn an_attribute_that_is_set_from_outside_is_there() {
    let store = ("store.py", "class A:\n    pass\n");
    for text in [
        "class A: ...\n\n\nA.x = 1\nprint(A.x)\n",
        "class A: ...\n\n\nA.x, y = 1, 2\nprint(A.x, y)\n",
        "class A: ...\n\n\nsetattr(A, 'x', 1)\nprint(A.x)\n",
        "import store\n\nstore.cache = {}\nprint(store.cache)\n",
        "from store import A\n\na = A()\na.run = print\na.run()\n",
    ] {
        assert_eq!(told(&[store, ("a.py", text)]), [""; 0], "{text}");
    }
    assert_eq!(told(&[("a.py", "class A: ...\n\n\nprint(A.x)\n")]).len(), 1);
}

const SERVER: &str = "from fastapi import FastAPI\n\napp = FastAPI()\n\n\n@app.get('/orders')\ndef a(): ...\n\n\n@app.get('/items/{id}')\ndef b(id): ...\n";

#[test]
fn tests_ask_for_routes_that_the_code_answers() {
    let test = |path: &str, then: &str| {
        let text = format!(
            "from app import app\nfrom fastapi.testclient import TestClient\n\nclient = TestClient(app)\n\n\ndef test_a():\n    r = client.get(\"{path}\")\n    assert r.status_code == {then}\n"
        );
        told(&[("app.py", SERVER), ("test_app.py", &text)])
    };
    for path in ["/orders", "/orders?a=1", "/items/7", "/nothing/like/it"] {
        assert_eq!(test(path, "200"), [""; 0], "{path}");
    }
    assert_eq!(
        test("/ordres", "200"),
        ["test_app.py:8:9: error: no code answers the path `/ordres` (did you mean `/orders`?)"]
    );
    assert_eq!(test("/ordres", "404"), [""; 0]);
    let server = ("app.js", "export const app = express();\napp.get('/orders', (q, r) => r.json([]));\n");
    let script = |path: &str| {
        format!("import {{ app }} from './app.js';\nit('a', () => request(app).get('{path}'));\n")
    };
    assert_eq!(told(&[server, ("app.test.js", &script("/orders"))]), [""; 0]);
    assert!(
        told(&[server, ("app.test.js", &script("/ordrs"))])[0]
            .starts_with("app.test.js:2:15: error: no code")
    );
}

#[test]
fn a_route_that_the_readme_leaves_out_is_a_warning() {
    let found = told(&[("app.py", SERVER), ("README.md", "- GET /orders\n")]);
    assert_eq!(
        found,
        ["app.py:10:2: warning: the route `GET /items/{id}` is not in the README, which names others"]
    );
    assert_eq!(told(&[("app.py", SERVER), ("README.md", "Run it.\n")]), [""; 0]);
    assert_eq!(told(&[("app.py", SERVER), ("README.md", "- GET /orders\n- GET /items/7\n")]), [""; 0]);
}

#[test]
fn sql_in_strings_of_javascript_and_go_uses_the_tables_too() {
    let schema = ("s.sql", "CREATE TABLE t (id INT PRIMARY KEY, name TEXT);\n");
    for (path, code) in [
        ("a.js", "export const f = (db) => db.query('{}');\n"),
        ("a.ts", "export const q = `{}`;\n"),
        ("a.go", "package a\n\nconst q = `{}`\n"),
        ("a.go", "package a\n\nfunc f(db *sql.DB) { db.Query(\"{}\") }\n"),
    ] {
        let sql = |text: &str| told(&[schema, (path, &code.replace("{}", text))]);
        assert_eq!(sql("SELECT id, name FROM t WHERE id = $1"), [""; 0], "{path}");
        assert_eq!(sql("Select a file"), [""; 0], "{path}");
        let found = sql("SELECT nme FROM t WHERE id = $1");
        assert!(
            found.len() == 1 && found[0].contains("no column `nme` (did you mean `name`?)"),
            "{path}: {found:?}"
        );
        assert!(sql("DELETE FROM other")[0].contains("warning: no CREATE TABLE makes the table `other`"));
    }
    let joined =
        "export const q = 'SELECT id FROM ' + t + ' WHERE x = 1';\nexport const r = `SELECT ${c} FROM t`;\n";
    assert_eq!(told(&[schema, ("a.js", joined)]), [""; 0]);
}
