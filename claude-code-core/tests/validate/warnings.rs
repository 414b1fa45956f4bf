//! Secrets and dangerous constructs are warnings, and examples of them are not.

use super::told;

/// Texts are put together here so that no scanner takes this file for a leak.
fn joined(parts: &[&str]) -> String {
    parts.concat()
}

#[test]
fn tells_secrets_without_repeating_them() {
    let secrets = [
        joined(&["key = 'AK", "IA2345678901234567'"]),
        joined(&["token = 'gh", "p_0123456789abcdefghijABCDEFGHIJ0123456789'"]),
        joined(&["slack = 'xo", "xb-1234567890-abcdefghijkl'"]),
        joined(&["k = 'sk-", "ant-api03-abcdefghijklmnopqrstuv'"]),
        joined(&["aws_secret_access_key = 'wJalrXUtnFEMIK7MDENGbPxRfiCY", "0123456789ab'"]),
        joined(&[
            "k = '''-----BEGIN RSA PRIVATE",
            " KEY-----\nMIIEpAIBAAKCAQEA0123456789abcdefghijklmnopqrstuvwxyz0123\n'''",
        ]),
    ];
    for secret in &secrets {
        let told = told(&[("a.py", secret)]);
        assert!(told.len() == 1 && told[0].contains("warning:"), "{told:?}");
        assert!(!told[0].contains("0123456789"), "{told:?}");
    }
}

#[test]
fn placeholders_are_no_secrets() {
    for text in [
        "k = 'AKIAIOSFODNN7EXAMPLE'",
        "k = 'sk-ant-your-key-goes-here-xxxx'",
        "AKIA = 1",
        "import os\naws_secret_access_key = os.environ['X']",
    ] {
        assert!(!told(&[("a.py", text)]).iter().any(|t| t.contains("warning")), "{text}");
    }
}

#[test]
fn tells_dangerous_constructs() {
    let dangers = [
        ("a.py", "def f(x): return eval(x)\n"),
        ("a.py", "import subprocess\nsubprocess.run('a', shell=True)\n"),
        ("a.py", "import pickle\npickle.loads(b'')\n"),
        ("a.py", "import yaml\nyaml.load('a')\n"),
        ("a.py", "import requests\nrequests.get('https://a', verify=False)\n"),
        ("a.py", "def f(db, x): db.execute(f\"SELECT a FROM b WHERE c = '{x}'\")\n"),
        ("a.py", "def f(db, x): db.execute(\"SELECT a FROM b WHERE c = \" + x)\n"),
        ("a.js", "export const f = (db, x) => db.query(`SELECT a FROM b WHERE c = ${x}`);\n"),
        ("a.sh", "rm -rf /\n"),
        (
            "a.tf",
            "resource \"aws_security_group\" \"a\" {\n  ingress {\n    cidr_blocks = [\"0.0.0.0/0\"]\n  }\n}\n",
        ),
        (
            "p.json",
            "{\"Statement\": [{\"Effect\": \"Allow\",\n \"Action\": \"*\",\n \"Resource\": \"*\"}]}\n",
        ),
        ("t.yaml", "Statement:\n  - Effect: Allow\n    Action: '*'\n    Resource: '*'\n"),
    ];
    for (path, text) in dangers {
        let told = told(&[(path, text)]);
        assert!(told.len() == 1 && told[0].contains("warning:"), "{text}: {told:?}");
    }
}

#[test]
fn harmless_forms_are_not_told() {
    let harmless = [
        (
            "a.py",
            "import yaml\nyaml.load('a', Loader=yaml.SafeLoader)\n# eval(x)\nclass A:\n    def f(self, model): model.eval()\n",
        ),
        ("a.py", "def f(db, x): db.execute('SELECT a FROM b WHERE c = %s', (x,))\n"),
        ("a.sh", "rm -rf /tmp/build\nrm -rf \"${ROOT}/x\"\n"),
        (
            "a.tf",
            "resource \"aws_security_group\" \"a\" {\n  egress {\n    cidr_blocks = [\"0.0.0.0/0\"]\n  }\n}\n",
        ),
        ("p.json", "{\"Action\": \"s3:*\", \"Resource\": \"*\"}\n"),
    ];
    for (path, text) in harmless {
        assert_eq!(told(&[(path, text)]), [""; 0], "{text}");
    }
}
