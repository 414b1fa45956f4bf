//! Credential faults: why there are no AWS credentials, in the words of the provider that failed.

use std::error::Error as StdError;

use aws_sdk_sts::error::ProvideErrorMetadata;
use aws_sdk_sts::operation::assume_role::AssumeRoleError;
use aws_sdk_sts::operation::assume_role_with_web_identity::AssumeRoleWithWebIdentityError;

use super::rotation::LOAD_LIMIT;
use crate::connect::cause::sources;
use crate::model_service::faults::{WORDS, printable};

/// Credentials of a file or process that would be refused, or take the SDK down.
pub(super) const UNUSABLE: &str = "the AWS credentials have a character that no key has, such as a line break or a \
                                   blank: correct ~/.aws/credentials, or what credential_process prints";

/// No credentials anywhere, and the ways to some.
const NONE: &str = "no AWS credentials found (environment, ~/.aws, SSO, role). Offline: Client.local() or --offline. \
                    Or: aws sso login, AWS_BEARER_TOKEN_BEDROCK, provider=\"anthropic\"";

/// Why there are no credentials, if that is what the error is about.
pub(crate) fn told(error: &(dyn StdError + 'static)) -> Option<String> {
    let texts: Vec<String> = sources(error).map(ToString::to_string).collect();
    let whole = texts.join("\n");
    let lower = whole.to_lowercase();
    if !["credential", "identity", "auth scheme", "sso token"].iter().any(|sign| lower.contains(sign)) {
        return None;
    }
    Some(
        sources(error)
            .find_map(assumed)
            .or_else(|| whole.contains(UNUSABLE).then(|| UNUSABLE.to_owned()))
            .or_else(|| process(&whole))
            .or_else(|| container(&whole))
            .or_else(|| sso(&lower))
            .or_else(|| slow(&lower))
            .or_else(|| imds(&lower))
            .or_else(|| profile(&texts))
            .unwrap_or_else(|| NONE.to_owned()),
    )
}

/// What STS says to AssumeRole: it names caller and role.
fn assumed(source: &(dyn StdError + 'static)) -> Option<String> {
    let role = source.downcast_ref::<AssumeRoleError>().map(|error| (error.code(), error.message()));
    let web = || {
        let error = source.downcast_ref::<AssumeRoleWithWebIdentityError>()?;
        Some((error.code(), error.message()))
    };
    let (code, message) = role.or_else(web)?;
    let words = message.map_or_else(|| "no reason given".to_owned(), |text| printable(text, WORDS));
    let code = code.map_or_else(String::new, |code| format!(" ({})", printable(code, 64)));
    Some(format!(
        "STS refused to assume the profile's role{code}: {words}: have the role's trust policy name the caller, or choose \
         another profile"
    ))
}

/// A credential_process that failed: its exit status and the last line that it wrote to stderr.
fn process(whole: &str) -> Option<String> {
    let (_, rest) = whole.split_once("external process")?;
    let advice = "run the credential_process of the AWS profile by hand to see why";
    let Some((status, stderr)) =
        rest.strip_prefix(" exited with code ").and_then(|rest| rest.split_once(". Stderr:"))
    else {
        // Its output may hold half of a secret.
        return Some(format!("credential_process gave no credentials that can be read: {advice}"));
    };
    let last = stderr.trim().lines().last().map(|line| printable(line, 120)).unwrap_or_default();
    let last = if last.is_empty() { "it wrote nothing to stderr".to_owned() } else { last };
    Some(format!("credential_process failed ({}): {last}: {advice}", printable(status, 40)))
}

/// The endpoint that gives a container its credentials: what it answers, or why it is not asked.
fn container(whole: &str) -> Option<String> {
    let advice = "check the role of the task or pod, and AWS_CONTAINER_AUTHORIZATION_TOKEN";
    if let Some((_, rest)) = whole.split_once("status from HTTP credential provider: ") {
        let status: String = rest.chars().filter(char::is_ascii_digit).take(3).collect();
        return Some(format!("the container's credential endpoint answers {status}: {advice}"));
    }
    if let Some((_, rest)) = whole.split_once("failed to load credentials [") {
        let words = printable(rest.lines().next().unwrap_or_default(), WORDS).replacen(']', "", 1);
        return Some(format!("the container's credential endpoint refuses: {words}: {advice}"));
    }
    if whole.contains("auth token could not be used") {
        return Some(
            "the token for the container's credentials has a character that no header takes, such as a line break at its end: \
             write AWS_CONTAINER_AUTHORIZATION_TOKEN, or the file of AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE, without it"
                .to_owned(),
        );
    }
    whole.contains("full URI for ECS provider").then(|| {
        "AWS_CONTAINER_CREDENTIALS_FULL_URI names an address that credentials are not taken from: it takes https, or http on \
         this machine and at the container agents' addresses (169.254.170.2, 169.254.170.23)"
            .to_owned()
    })
}

fn sso(lower: &str) -> Option<String> {
    // The portal's answer where the session is good and the role is not the user's.
    if lower.contains("forbiddenexception") {
        return Some(
            "the SSO session may not use the profile's role: correct sso_account_id and sso_role_name, or have the role \
             assigned to you"
                .to_owned(),
        );
    }
    let signs = [
        "sso token has expired",
        "failed to load the cached sso token",
        "cached token",
        "session token not found or invalid",
    ];
    signs.iter().any(|sign| lower.contains(sign)).then(|| {
        let login = match std::env::var("AWS_PROFILE") {
            Ok(name) if !name.is_empty() => format!("aws sso login --profile {}", printable(&name, 64)),
            _ => "aws sso login".to_owned(),
        };
        format!("the SSO session has expired or was never begun: {login}")
    })
}

fn slow(lower: &str) -> Option<String> {
    lower.contains("resolver timed out").then(|| {
        format!(
            "the AWS credentials were not there within {} s: run the credential_process or login of the profile by hand",
            LOAD_LIMIT.as_secs()
        )
    })
}

fn imds(lower: &str) -> Option<String> {
    const SIGNS: [&str; 4] =
        ["communicate with imds", "communicating with imds", "imds session token", "timeout"];
    if !lower.contains("imds") {
        return None;
    }
    if lower.contains("404 from imds") || lower.contains("from imds (code: 404)") {
        return Some(format!("{NONE}. The instance has no role: attach an instance profile to it"));
    }
    if let Some((_, rest)) = lower.split_once("error response from imds (code: ") {
        let status: String = rest.chars().take_while(char::is_ascii_digit).collect();
        return Some(format!("{NONE}. The instance's metadata service answers {status}"));
    }
    let silent = SIGNS.iter().any(|sign| lower.contains(sign));
    silent.then(|| format!("{NONE}. The instance's metadata service (169.254.169.254) did not answer"))
}

/// A profile that cannot be used as it is written.
fn profile(texts: &[String]) -> Option<String> {
    let signs = [
        "infinite loop",
        "missing credential source",
        "invalid credential source",
        "was not defined",
        "sso-session",
        "invalid profile",
        "is not supported",
        "invalid SSO config",
    ];
    // File and line of what is damaged tell more than that something is.
    let damaged = texts.iter().find(|text| text.starts_with("error parsing")).map(|text| one_line(text));
    let line = damaged.or_else(|| {
        let mut lines = texts.iter().flat_map(|text| text.lines());
        lines.find(|line| signs.iter().any(|sign| line.contains(sign))).map(one_line)
    })?;
    Some(format!("the AWS profile cannot be used: {line}: correct it in ~/.aws"))
}

/// A text of several lines in one.
pub(super) fn one_line(text: &str) -> String {
    printable(&text.split_whitespace().collect::<Vec<_>>().join(" "), WORDS)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use aws_credential_types::provider::error::CredentialsError;

    use super::*;

    fn said(text: &str) -> String {
        told(&CredentialsError::provider_error(text.to_owned())).unwrap()
    }

    #[derive(Debug, thiserror::Error)]
    #[error("invalid profile: could not parse profile file")]
    struct Damaged(#[source] std::io::Error);

    #[test]
    fn a_file_that_is_damaged_while_a_process_runs_is_told_with_its_line() {
        let parser =
            "error parsing /h/.aws/credentials on line 2:\n  Expected an '=' sign defining a property";
        let error = CredentialsError::provider_error(Damaged(std::io::Error::other(parser)));
        let line = "on line 2: Expected an '=' sign defining a property: correct it";
        assert!(told(&error).unwrap().contains(line), "{error:?}");
    }

    #[test]
    fn each_way_to_fail_keeps_its_own_words() {
        let failed = said(
            "Error retrieving credentials: external process exited with code exit status: 3. Stderr: key=canary\nno vault token\n",
        );
        assert!(failed.starts_with("credential_process failed (exit status: 3): no vault token"), "{failed}");
        assert!(!failed.contains("canary"), "{failed}");
        assert!(
            said("Error retrieving credentials from external process, could not parse response: canary")
                .contains("no credentials that can be read")
        );
        assert!(said("the SSO token has expired and cannot be refreshed").contains("aws sso login"));
        assert!(said("identity resolver timed out after 30s").contains("within 30 s"));
        assert!(said("profile formed an infinite loop. first we loaded a").contains("infinite loop"));
        assert!(said("credentials: could not communicate with IMDS").contains("169.254.169.254"));
        assert!(said("an IO error occurred communicating with IMDS").contains("did not answer"));
        assert!(said("error response from IMDS (code: 403). Response {}").contains("service answers 403"));
        assert!(said("received 404 from IMDS when loading profile information").contains("instance profile"));
        assert!(
            said("Non-success status from HTTP credential provider: StatusCode(403)")
                .starts_with("the container's credential endpoint answers 403: check the role")
        );
        assert!(
            said("failed to load credentials [AccessDenied]: not this pod\nmore").starts_with(
                "the container's credential endpoint refuses: AccessDenied: not this pod: check"
            )
        );
        assert!(
            said(
                "invalid full URI for ECS provider (URI did not refer to an allowed IP address): http://evil"
            )
            .starts_with("AWS_CONTAINER_CREDENTIALS_FULL_URI names an address")
        );
        assert!(said("SSO: unhandled error (ForbiddenException)").contains("may not use the profile's role"));
        assert_eq!(told(&CredentialsError::not_loaded("none")).unwrap(), NONE);
        assert_eq!(told(&std::io::Error::other("reset")), None);
    }
}
