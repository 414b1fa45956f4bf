//! What a command can see: the machine's programs, read-only; its own files; nothing of the user's.

use std::path::{Path, PathBuf};

use nix::mount::{MsFlags, mount};

use super::named;
use crate::checks::WORK;

/// An empty home.
pub(super) const HOME: &str = "/tmp/home";

/// Where folders of programs wait while the home is covered.
const KEPT: &str = "/tmp/.kept";

/// Beside the files: folders that stay readable.
const READABLE: &str = ".claude-code-readable-";

/// Folders in which others leave sockets and files.
const COVERED: [&str; 6] = ["/dev/shm", "/var/tmp", "/run", "/home", "/root", "/media"];

/// Files that are secret even to those who may read them.
const SECRET: [&str; 4] = ["/etc/shadow", "/etc/gshadow", "/etc/sudoers", "/etc/krb5.keytab"];

/// Lays out the files of `place`; what is written lives in memory, so many megabytes at most.
pub(super) fn lay_out(place: &Path, megabytes: u64) -> std::io::Result<()> {
    let none: Option<&str> = None;
    mount(none, "/", none, MsFlags::MS_REC | MsFlags::MS_PRIVATE, none).map_err(named("private mounts"))?;
    std::env::set_current_dir(place).map_err(named("the files"))?;
    let readable = readable()?;
    let options = format!("size={megabytes}m,mode=1777");
    let flags = MsFlags::MS_NOSUID | MsFlags::MS_NODEV;
    mount(Some("tmpfs"), "/tmp", Some("tmpfs"), flags, Some(options.as_str()))
        .map_err(named("a place to write"))?;
    for folder in [WORK, HOME, KEPT] {
        std::fs::create_dir(folder).map_err(named("a place to write"))?;
    }
    copy(Path::new("."), Path::new(WORK)).map_err(named("the files"))?;
    hide_homes()?;
    for (kept, folder) in &readable {
        std::fs::create_dir_all(folder)
            .and_then(|()| bind(kept, folder))
            .map_err(named("readable folders"))?;
    }
    std::env::set_current_dir(WORK)?;
    for secret in SECRET.iter().filter(|path| Path::new(path).exists()) {
        mount(Some("/dev/null"), *secret, none, MsFlags::MS_BIND, none).map_err(named("secret files"))?;
    }
    mount(Some("proc"), "/proc", Some("proc"), flags | MsFlags::MS_NOEXEC, none)
        .map_err(named("its own /proc"))?;
    read_only()
}

/// Keeps the folders that are to stay readable beside the files, before anything is covered: where they are kept and where
/// they belong.
fn readable() -> std::io::Result<Vec<(PathBuf, PathBuf)>> {
    let folders = std::env::var_os("CLAUDE_CODE_AWS_READABLE").unwrap_or_default();
    let folders = std::env::split_paths(&folders).filter(|folder| folder.is_absolute() && folder.is_dir());
    let mut kept = Vec::new();
    for (number, folder) in folders.enumerate() {
        let place = PathBuf::from(format!("{READABLE}{number}"));
        std::fs::create_dir(&place)
            .and_then(|()| bind(&folder, &place))
            .map_err(named("readable folders"))?;
        kept.push((place, folder));
    }
    Ok(kept)
}

fn bind(from: &Path, to: &Path) -> std::io::Result<()> {
    let none: Option<&str> = None;
    Ok(mount(Some(from), to, none, MsFlags::MS_BIND | MsFlags::MS_REC, none)?)
}

fn copy(from: &Path, to: &Path) -> std::io::Result<()> {
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        if entry.file_name().to_string_lossy().starts_with(READABLE) {
            continue;
        }
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            std::fs::create_dir_all(&target)?;
            copy(&entry.path(), &target)?;
        } else {
            std::fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}

/// Covers homes and the folders of sockets; folders of programs on the path are put back, read-only.
fn hide_homes() -> std::io::Result<()> {
    let none: Option<&str> = None;
    let home = std::env::var_os("CLAUDE_CODE_AWS_REAL_HOME").map(PathBuf::from);
    let mut covered: Vec<PathBuf> = COVERED.iter().map(PathBuf::from).collect();
    covered.extend(home.filter(|home| home.is_absolute() && home.parent().is_some()));
    covered.retain(|folder| folder.is_dir());
    let programs = programs(&covered);
    for (number, program) in programs.iter().enumerate() {
        let kept = Path::new(KEPT).join(number.to_string());
        std::fs::create_dir(&kept)?;
        bind(program, &kept).map_err(named("programs"))?;
    }
    for folder in &covered {
        let flags = MsFlags::MS_NOSUID | MsFlags::MS_NODEV;
        mount(Some("tmpfs"), folder, Some("tmpfs"), flags, Some("size=16m,mode=755"))
            .map_err(named("the home"))?;
    }
    for (number, program) in programs.iter().enumerate() {
        let kept = Path::new(KEPT).join(number.to_string());
        std::fs::create_dir_all(program)?;
        bind(&kept, program).map_err(named("programs"))?;
        for secret in ["credentials.toml", "credentials"] {
            let secret = program.join(secret);
            if secret.is_file() {
                mount(Some("/dev/null"), &secret, none, MsFlags::MS_BIND, none)
                    .map_err(named("secret files"))?;
            }
        }
    }
    Ok(())
}

/// The folders of installed programs that lie in what is covered: what holds a `bin` on the path.
fn programs(covered: &[PathBuf]) -> Vec<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let homes = ["PYENV_ROOT", "CARGO_HOME", "RUSTUP_HOME", "NVM_DIR", "VIRTUAL_ENV"];
    let mut found: Vec<PathBuf> =
        homes.iter().filter_map(|name| std::env::var_os(name).map(PathBuf::from)).collect();
    let helper = std::env::var_os("CLAUDE_CODE_AWS_HELPER").map(PathBuf::from);
    let helper = helper.and_then(|helper| Some(helper.parent()?.to_path_buf()));
    for folder in std::env::split_paths(&path).chain(helper) {
        // The links of `node_modules/.bin` lead to the packages beside it.
        let is_bin =
            folder.file_name().is_some_and(|name| name == "bin" || name == ".bin" || name == "shims");
        let root = folder.parent().filter(|_| is_bin).unwrap_or(&folder);
        if root.ends_with(".local") {
            // Keys of the desktop lie there too.
            found.extend([root.join("bin"), root.join("lib")]);
        } else {
            found.push(root.to_path_buf());
        }
    }
    found.retain(|root| root.is_dir() && covered.iter().any(|home| root.starts_with(home) && root != home));
    found.sort();
    found.dedup();
    let all = found.clone();
    found.retain(|root| !all.iter().any(|other| other != root && root.starts_with(other)));
    found
}

/// Makes every mount read-only but the place to write.
fn read_only() -> std::io::Result<()> {
    let none: Option<&str> = None;
    let table = std::fs::read_to_string("/proc/self/mountinfo").map_err(named("the mounts"))?;
    for line in table.lines() {
        let mut words = line.split(' ');
        let (Some(target), Some(options)) = (words.nth(4), words.next()) else { continue };
        let target = target.replace("\\040", " ");
        if target == "/tmp" || target.starts_with("/proc") || options.split(',').any(|option| option == "ro")
        {
            continue;
        }
        let mut flags = MsFlags::MS_BIND | MsFlags::MS_REMOUNT | MsFlags::MS_RDONLY;
        for option in options.split(',') {
            flags |= match option {
                "nosuid" => MsFlags::MS_NOSUID,
                "nodev" => MsFlags::MS_NODEV,
                "noexec" => MsFlags::MS_NOEXEC,
                "noatime" => MsFlags::MS_NOATIME,
                "nodiratime" => MsFlags::MS_NODIRATIME,
                "relatime" => MsFlags::MS_RELATIME,
                _ => MsFlags::empty(),
            };
        }
        let done = mount(none, target.as_str(), none, flags, none);
        // A mount below one that was covered cannot be reached any more.
        if done.is_err()
            && Path::new(&target).exists()
            && !target.starts_with("/dev")
            && !target.starts_with("/sys")
        {
            done.map_err(named("read-only mounts"))?;
        }
    }
    Ok(())
}
