//! Trust store: the system's root certificates, and those that variables and settings add. Bundled Mozilla roots stand in
//! where the system has none, as in a slim container.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

/// Where distributions keep all roots in one file: Debian, Fedora, SUSE, Alpine, BSD.
const SYSTEM_FILES: [&str; 6] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
    "/usr/local/etc/ssl/cert.pem",
];

/// Certificates that the environment or a setting adds, with the name of who said so.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Added {
    /// CA_BUNDLE, else AWS_CA_BUNDLE, else the profile's `ca_bundle`: the first that is set, as botocore takes it.
    pub(crate) bundle: Option<(String, PathBuf)>,
    /// SSL_CERT_FILE.
    pub(crate) file: Option<PathBuf>,
    /// SSL_CERT_DIR: directories, with `:` between (`;` on Windows).
    pub(crate) dirs: Vec<PathBuf>,
}

/// Where the roots came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// The system's store.
    System,
    /// Mozilla's roots as this build has them: the system has none.
    Bundled,
}

/// Roots to verify servers with, as PEM, for that is what the connector takes.
#[derive(Debug)]
pub(crate) struct Roots {
    pub(crate) pem: Vec<u8>,
    #[cfg_attr(not(feature = "local"), allow(dead_code, reason = "only the doctor tells it"))]
    pub(crate) origin: Origin,
    #[cfg_attr(not(feature = "local"), allow(dead_code, reason = "only the doctor tells it"))]
    pub(crate) count: usize,
}

/// All roots. Fails with one line that names the variable whose certificates cannot be read.
pub(crate) fn roots(added: &Added) -> Result<Roots, String> {
    beside(system(), added)
}

/// The system's roots, or bundled ones where it has none, and those that are added.
fn beside(system: &[CertificateDer<'static>], added: &Added) -> Result<Roots, String> {
    let (origin, mut certs) = match system.is_empty() {
        true => (Origin::Bundled, webpki_root_certs::TLS_SERVER_ROOT_CERTS.to_vec()),
        false => (Origin::System, system.to_vec()),
    };
    if let Some((name, path)) = &added.bundle {
        certs.extend(read(name, path)?);
    }
    if let Some(path) = &added.file {
        certs.extend(read("SSL_CERT_FILE", path)?);
    }
    for dir in &added.dirs {
        certs.extend(read("SSL_CERT_DIR", dir)?);
    }
    let (pem, count) = encoded(&certs);
    Ok(Roots { pem, origin, count })
}

/// The system's roots, read once for the process.
fn system() -> &'static [CertificateDer<'static>] {
    static SYSTEM: OnceLock<Vec<CertificateDer<'static>>> = OnceLock::new();
    SYSTEM.get_or_init(|| {
        // One file is read instead of a file and a directory of hundreds of links to its parts. SSL_CERT_FILE, which the
        // loader of native roots would take instead of the system's, is added by us.
        let file = SYSTEM_FILES.iter().map(Path::new).find(|path| cfg!(unix) && path.is_file());
        let found = file.map(|path| rustls_native_certs::load_certs_from_paths(Some(path), None).certs);
        found
            .filter(|certs| !certs.is_empty())
            .unwrap_or_else(|| rustls_native_certs::load_native_certs().certs)
    })
}

/// The certificates of a file, or of the files of a directory.
fn read(name: &str, path: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let shown = path.display();
    // A shell reads `~` in a variable; in ~/.aws/config and in a container's environment nobody does.
    let at_home = path.strip_prefix("~").ok().and_then(|rest| Some(std::env::home_dir()?.join(rest)));
    let path = at_home.as_deref().unwrap_or(path);
    let found = match std::fs::metadata(path) {
        Err(error) => {
            return Err(format!("{name}={shown}: {}: correct the path, or take {name} away", reason(&error)));
        }
        Ok(meta) if meta.is_dir() => rustls_native_certs::load_certs_from_paths(None, Some(path)).certs,
        Ok(_) => of_file(path).map_err(|error| {
            format!("{name}={shown}: {}: correct the path, or take {name} away", reason(&error))
        })?,
    };
    if found.is_empty() {
        return Err(format!(
            "{name}={shown}: no certificate in PEM format could be read from it: correct it, or take {name} away"
        ));
    }
    Ok(found)
}

/// The certificates of a PEM file. A byte order mark, as editors on Windows write it, would hide the first one.
fn of_file(path: &Path) -> std::io::Result<Vec<CertificateDer<'static>>> {
    let bytes = std::fs::read(path)?;
    let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes);
    Ok(CertificateDer::pem_slice_iter(text).filter_map(Result::ok).collect())
}

fn reason(error: &std::io::Error) -> String {
    match error.kind() {
        std::io::ErrorKind::NotFound => "there is no such file".to_owned(),
        std::io::ErrorKind::PermissionDenied => "it may not be read".to_owned(),
        _ => error.to_string(),
    }
}

/// The certificates that rustls takes, as PEM: one that it refuses must not cost all others.
fn encoded(certs: &[CertificateDer<'_>]) -> (Vec<u8>, usize) {
    let (mut store, mut pem) = (RootCertStore::empty(), String::with_capacity(300 << 10));
    for cert in certs.iter().filter(|cert| store.add((*cert).clone().into_owned()).is_ok()) {
        pem.push_str("-----BEGIN CERTIFICATE-----\n");
        pem.push_str(&aws_smithy_types::base64::encode(cert.as_ref()));
        pem.push_str("\n-----END CERTIFICATE-----\n");
    }
    (pem.into_bytes(), store.len())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_variable_whose_file_is_missing_or_has_no_certificate_is_named_with_the_file() {
        let dir = tempfile::tempdir().unwrap();
        let empty = dir.path().join("empty.pem");
        std::fs::write(&empty, "no certificate").unwrap();
        let missing = dir.path().join("missing.pem");
        for path in [&empty, &missing] {
            let file = Added { file: Some(path.clone()), ..Added::default() };
            let bundle =
                Added { bundle: Some(("AWS_CA_BUNDLE".to_owned(), path.clone())), ..Added::default() };
            for (added, name) in [(file, "SSL_CERT_FILE="), (bundle, "AWS_CA_BUNDLE=")] {
                let told = roots(&added).unwrap_err();
                assert!(told.starts_with(name) && told.contains(&*path.display().to_string()), "{told}");
                assert!(!told.contains('\n'), "{told}");
            }
        }
    }

    #[test]
    fn the_bundled_roots_are_all_taken_by_the_verifier() {
        let (pem, count) = encoded(webpki_root_certs::TLS_SERVER_ROOT_CERTS);
        assert_eq!(count, webpki_root_certs::TLS_SERVER_ROOT_CERTS.len());
        assert!(count > 100 && pem.len() > 100_000, "{count} roots");
    }

    #[test]
    fn without_a_system_store_the_bundled_roots_and_the_added_ones_are_trusted() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("ca.pem");
        let own = rcgen::generate_simple_self_signed(["lab.test".to_owned()]).unwrap();
        std::fs::write(&path, own.cert.pem()).unwrap();
        let bundled = webpki_root_certs::TLS_SERVER_ROOT_CERTS.len();
        let alone = beside(&[], &Added::default()).unwrap();
        assert_eq!((alone.origin, alone.count), (Origin::Bundled, bundled));
        let both = beside(&[], &Added { file: Some(path), ..Added::default() }).unwrap();
        assert_eq!((both.origin, both.count), (Origin::Bundled, bundled + 1));
        let system = beside(&[own.cert.der().clone()], &Added::default()).unwrap();
        assert_eq!((system.origin, system.count), (Origin::System, 1), "the system's alone");
    }

    #[test]
    fn what_is_added_is_trusted_beside_the_systems_roots_and_not_in_their_place() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("ca.pem");
        let cert = |name: &str| rcgen::generate_simple_self_signed([name.to_owned()]).unwrap().cert;
        std::fs::write(&path, cert("added.test").pem()).unwrap();
        let system = [cert("one.test").der().clone(), cert("two.test").der().clone()];
        let bundle = Some(("AWS_CA_BUNDLE".to_owned(), path.clone()));
        for added in [
            Added { bundle, ..Added::default() },
            Added { file: Some(path.clone()), ..Added::default() },
            Added { dirs: vec![dir.path().to_owned()], ..Added::default() },
        ] {
            assert_eq!(beside(&system, &added).unwrap().count, 3, "{added:?}");
        }
    }

    #[test]
    fn a_tilde_in_a_path_is_the_home_directory() {
        let told = read("ca_bundle", Path::new("~/no-such-bundle-of-a-test.pem")).unwrap_err();
        assert!(
            told.starts_with("ca_bundle=~/no-such-bundle-of-a-test.pem: there is no such file"),
            "{told}"
        );
    }

    #[test]
    fn a_damaged_certificate_costs_itself_alone() {
        let good = webpki_root_certs::TLS_SERVER_ROOT_CERTS[0].clone();
        let (_, count) = encoded(&[CertificateDer::from(vec![1, 2, 3]), good]);
        assert_eq!(count, 1);
    }
}
