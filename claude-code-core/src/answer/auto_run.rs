//! Names that run by themselves: the one table of what is never written, what is written once the caller allows it, and why.
//! Everything else is fine: `Makefile`, `conftest.py` and a `package.json` without lifecycle scripts run when somebody
//! starts them.

use super::path::fold;

/// Auto-run risk of a file's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AutoRun {
    /// Nothing by itself.
    Fine,
    /// It runs without the user starting it; the reason, in a few words.
    Asks(&'static str),
    /// It decides over a user's account or sessions; the reason, in a few words.
    Never(&'static str),
}

/// A pattern of the table: a name, a directory that ends with `/`, or a name that begins with `*`.
type Row = (&'static str, &'static str);

const LOGIN: &str = "a shell or session reads it when the user logs in";
const KEYS: &str = "it holds keys or accounts of the user";
const START: &str = "the system starts it by itself";
const TOOL: &str = "a program of the user reads it wherever it is started";

/// Files that are never written from an answer, in any directory.
pub const NEVER: &[Row] = &[
    (".ssh/", KEYS),
    (".gnupg/", KEYS),
    (".aws/", KEYS),
    (".azure/", KEYS),
    (".kube/", KEYS),
    (".docker/config.json", KEYS),
    (".netrc", KEYS),
    (".pgpass", KEYS),
    (".bashrc", LOGIN),
    (".bash_profile", LOGIN),
    (".bash_login", LOGIN),
    (".bash_logout", LOGIN),
    (".bash_aliases", LOGIN),
    (".profile", LOGIN),
    (".zshrc", LOGIN),
    (".zshenv", LOGIN),
    (".zprofile", LOGIN),
    (".zlogin", LOGIN),
    (".zlogout", LOGIN),
    (".kshrc", LOGIN),
    (".cshrc", LOGIN),
    (".tcshrc", LOGIN),
    (".login", LOGIN),
    (".xinitrc", LOGIN),
    (".xprofile", LOGIN),
    (".xsession", LOGIN),
    (".xsessionrc", LOGIN),
    (".pam_environment", LOGIN),
    (".config/fish/", LOGIN),
    ("profile.d/", LOGIN),
    (".config/autostart/", START),
    (".config/systemd/", START),
    ("launchagents/", START),
    ("launchdaemons/", START),
    ("start menu/programs/startup/", START),
    ("cron.d/", START),
    ("autorun.inf", START),
    (".gitconfig", TOOL),
    (".config/git/", TOOL),
    (".vimrc", TOOL),
    (".gvimrc", TOOL),
    (".exrc", TOOL),
    (".nvimrc", TOOL),
    (".config/nvim/", TOOL),
    (".emacs", TOOL),
    (".emacs.d/", TOOL),
    (".gdbinit", TOOL),
    (".lldbinit", TOOL),
    (".screenrc", TOOL),
    (".tmux.conf", TOOL),
    (".inputrc", TOOL),
    (".irbrc", TOOL),
    (".psqlrc", TOOL),
];

const EDITOR: &str = "an editor runs it when the folder is opened";
const HOOK: &str = "Git runs it on the next commit or checkout";
const CI: &str = "a CI service runs it on the next push, with its secrets";
const CONTAINER: &str = "it runs when the container or workspace is opened";
const AGENT: &str = "a coding agent obeys it in this folder";
const INSTALL: &str = "a package manager obeys it at the next install";
const PYTHON: &str = "Python runs it at every start";
const SHELL: &str = "a shell runs it when the directory is entered";

/// Files that are written only where the caller allows what runs by itself.
pub const ASKS: &[Row] = &[
    (".vscode/", EDITOR),
    (".idea/", EDITOR),
    (".zed/", EDITOR),
    (".fleet/", EDITOR),
    ("*.code-workspace", EDITOR),
    (".nvim.lua", EDITOR),
    (".lvimrc", EDITOR),
    (".dir-locals.el", EDITOR),
    (".husky/", HOOK),
    (".githooks/", HOOK),
    (".github/workflows/", CI),
    (".github/actions/", CI),
    (".gitlab-ci.yml", CI),
    (".gitlab-ci.yaml", CI),
    (".circleci/", CI),
    (".buildkite/", CI),
    (".travis.yml", CI),
    (".drone.yml", CI),
    (".woodpecker.yml", CI),
    (".woodpecker/", CI),
    ("appveyor.yml", CI),
    ("azure-pipelines.yml", CI),
    ("bitbucket-pipelines.yml", CI),
    ("jenkinsfile", CI),
    (".devcontainer/", CONTAINER),
    (".devcontainer.json", CONTAINER),
    (".gitpod.yml", CONTAINER),
    (".claude/", AGENT),
    (".cursor/", AGENT),
    (".codex/", AGENT),
    (".gemini/", AGENT),
    (".mcp.json", AGENT),
    (".aider.conf.yml", AGENT),
    (".npmrc", INSTALL),
    (".yarnrc", INSTALL),
    (".yarnrc.yml", INSTALL),
    (".pnpmfile.cjs", INSTALL),
    (".cargo/config.toml", INSTALL),
    (".cargo/config", INSTALL),
    ("sitecustomize.py", PYTHON),
    ("usercustomize.py", PYTHON),
    ("*.pth", PYTHON),
    (".envrc", SHELL),
    (".rprofile", "R runs it when it is started in the directory"),
];

/// Scripts of a package.json that `npm install` runs.
const LIFECYCLE: [&str; 8] =
    ["preinstall", "install", "postinstall", "prepublish", "preprepare", "prepare", "postprepare", "prepack"];

/// Auto-run risk of a file's path and content.
pub fn auto_run(path: &str, content: &str) -> AutoRun {
    if path.split('/').any(|part| part.starts_with('-')) {
        return AutoRun::Never("the name begins with -, which commands read as an option");
    }
    let folded = fold(path);
    let of = |table: &[Row]| table.iter().find(|(pattern, _)| fits(&folded, pattern)).map(|(_, why)| *why);
    if let Some(why) = of(NEVER) {
        return AutoRun::Never(why);
    }
    let is_package = folded.rsplit('/').next() == Some("package.json");
    match of(ASKS) {
        Some(why) => AutoRun::Asks(why),
        None if is_package && has_lifecycle(content) => {
            AutoRun::Asks("npm runs its lifecycle scripts at the next install")
        }
        None => AutoRun::Fine,
    }
}

fn fits(path: &str, pattern: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    if let Some(end) = pattern.strip_prefix('*') {
        return name.ends_with(end) && name.len() > end.len();
    }
    if let Some(directory) = pattern.strip_suffix('/') {
        let parents = path.rsplit_once('/').map_or("", |(parents, _)| parents);
        return format!("/{parents}/").contains(&format!("/{directory}/"));
    }
    path == pattern || path.strip_suffix(pattern).is_some_and(|before| before.ends_with('/'))
}

fn has_lifecycle(content: &str) -> bool {
    let package: serde_json::Value = serde_json::from_str(content).unwrap_or_default();
    let scripts = package.get("scripts").and_then(serde_json::Value::as_object);
    scripts.is_some_and(|scripts| LIFECYCLE.iter().any(|name| scripts.contains_key(*name)))
        // What cannot be read may be read by npm.
        || (package.is_null() && LIFECYCLE.iter().any(|name| content.contains(&format!("\"{name}\""))))
}
