//! How viewers connect, and who else uses the distribution.

use crate::check::{Check, Severity};
use crate::deployment::documents::RealtimeLogConfigFile;
use crate::deployment::finding::{DeploymentFinding, Spot};
use crate::deployment::subject::DeploymentSubject;
use crate::family::Family;

static TENANTS: Check = Check {
    id: "EA245",
    name: "distribution-of-tenants",
    severity: Severity::Medium,
    title: "the distribution is for tenants, which are not in the export",
    why: "Viewers reach it through distribution tenants. Each has its own domain, certificate and parameters, and \
     a parameter can stand in an origin's domain or path. So this export does not show which bucket a tenant \
     reaches. Which distribution an event of a tenant names, and which `AWS:SourceArn` S3 sees, is not known here. \
     So nothing here is proved for tenants.",
    remedy: "use a standard distribution (`ConnectionMode` `direct`); `authorizer attach` refuses this one",
};

static FUNCTION: Check = Check {
    id: "EA247",
    name: "connection-function",
    severity: Severity::Low,
    title: "a connection function runs before the authorizer",
    why: "It runs when a viewer connects, and can refuse viewers whom the policy allows. The export does not contain \
     its code.",
    remedy: "remove the connection function, or review it as part of the authorizer",
};

static CERTIFICATES: Check = Check {
    id: "EA248",
    name: "viewer-certificates",
    severity: Severity::Low,
    title: "viewers need a certificate, or may send one",
    why: "If the mode is `required`, a viewer with a token but without a certificate cannot connect. If it is not, a \
     certificate changes nothing: no rule reads it.",
    remedy: "remove `ViewerMtlsConfig`, if a token is all that viewers have",
};

static REALTIME: Check = Check {
    id: "EA229",
    name: "tokens-in-realtime-logs",
    severity: Severity::Medium,
    title: "real-time logs contain tokens",
    why: "Real-time logs can contain the headers, the cookies and the query string of every request, and a token is in \
     one of them. A person who reads the stream can use a token until it expires.",
    remedy: "leave `cs-headers`, and `cs-cookie` or `cs-uri-query` where the policy reads tokens there, out of the \
     fields of the real-time log",
};

pub(super) static FAMILY: Family = Family::Deployment(&[&TENANTS, &FUNCTION, &CERTIFICATES, &REALTIME], find);

fn find(subject: &DeploymentSubject<'_>, found: &mut Vec<DeploymentFinding>) {
    let (view, config) = (subject.view(), subject.config());
    if let Some(setting) = view.tenants() {
        let member = if view.connection_mode.is_empty() || view.connection_mode == "direct" {
            "TenantConfig/ParameterDefinitions"
        } else {
            "ConnectionMode"
        };
        found.push(config.then(member).found(&TENANTS, setting.escape_debug().to_string()));
    }
    let function = &view.connection_function_association.id;
    if !function.is_empty() {
        let message = format!("connection function `{}` is set", function.escape_debug());
        found.push(config.then("ConnectionFunctionAssociation/Id").found(&FUNCTION, message));
    }
    let mode = &view.viewer_mtls_config.mode;
    if !mode.is_empty() {
        let message = format!("`Mode` of `ViewerMtlsConfig` is `{}`", mode.escape_debug());
        found.push(config.then("ViewerMtlsConfig/Mode").found(&CERTIFICATES, message));
    }
    logs(subject, found);
}

fn logs(subject: &DeploymentSubject<'_>, found: &mut Vec<DeploymentFinding>) {
    let credentials = subject.policy().credentials();
    for one in subject.behaviors() {
        let arn = one.behavior.realtime_log_config_arn.as_str();
        let Some(name) = arn.rsplit('/').next().filter(|name| !name.is_empty()) else { continue };
        let file = format!("realtime-log-config-{name}.json");
        let Some(read) = subject.read::<RealtimeLogConfigFile>(&file) else { continue };
        let fields = &read.realtime_log_config.fields;
        let with_token = [
            ("cs-headers", true),
            ("cs-cookie", credentials.cookie.is_some()),
            ("cs-uri-query", credentials.query.is_some()),
        ];
        let told =
            with_token.into_iter().filter(|(field, may)| *may && fields.iter().any(|one| one == field));
        let told: Vec<_> = told.map(|(field, _)| format!("`{field}`")).collect();
        if !told.is_empty() {
            let message = format!("{}: the real-time log has {}", one.name, told.join(", "));
            found.push(Spot::file(file).then("RealtimeLogConfig/Fields").found(&REALTIME, message));
        }
    }
}
