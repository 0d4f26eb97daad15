//! The ARNs of Lambda functions.

use std::fmt;

use thiserror::Error;

/// The ARN of a published version of a function, as a behavior accepts it: numbered, in us-east-1.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct FunctionVersion {
    function: FunctionName,
    version: String,
}

/// The ARN of a function, with any version or none.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct FunctionName {
    account: String,
    name: String,
}

/// Why CloudFront does not accept an ARN for a viewer-request function.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
pub enum ArnError {
    /// Not the ARN of a Lambda function.
    #[error(
        "is not the ARN of a Lambda function: `arn:aws:lambda:us-east-1:ACCOUNT_ID:function:NAME:VERSION`"
    )]
    Form,
    /// A function in another Region.
    #[error("is in another Region: CloudFront accepts only functions in us-east-1")]
    Region,
    /// Without a version.
    #[error("has no version: CloudFront requires a published version, such as `:3` at the end")]
    Unqualified,
    /// `$LATEST`.
    #[error("is `$LATEST`, which CloudFront does not accept because it can change: publish a version")]
    Latest,
    /// An alias.
    #[error("names an alias: CloudFront accepts only a numbered version")]
    Alias,
}

impl FunctionVersion {
    /// Reads an ARN.
    ///
    /// # Errors
    /// [`ArnError`] if CloudFront does not accept it.
    pub fn parse(arn: &str) -> Result<Self, ArnError> {
        let (region, function, qualifier) = parts(arn).ok_or(ArnError::Form)?;
        if region != "us-east-1" {
            return Err(ArnError::Region);
        }
        match qualifier {
            None => Err(ArnError::Unqualified),
            Some("$LATEST") => Err(ArnError::Latest),
            Some(version) if is_number(version) => Ok(Self { function, version: version.to_owned() }),
            Some(_) => Err(ArnError::Alias),
        }
    }

    /// The function.
    pub fn function(&self) -> &FunctionName {
        &self.function
    }
}

impl FunctionName {
    /// Reads an ARN, with or without a version.
    ///
    /// # Errors
    /// [`ArnError`] if it is not the ARN of a Lambda function.
    pub fn parse(arn: &str) -> Result<Self, ArnError> {
        let (_, function, _) = parts(arn).ok_or(ArnError::Form)?;
        Ok(function)
    }

    /// Whether an ARN is of this function, with any version.
    pub(super) fn is_of(&self, arn: &str) -> bool {
        parts(arn).is_some_and(|(region, function, _)| region == "us-east-1" && function == *self)
    }
}

impl fmt::Display for FunctionVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.function, self.version)
    }
}

impl fmt::Display for FunctionName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "arn:aws:lambda:us-east-1:{}:function:{}", self.account, self.name)
    }
}

/// The Region, the function, and the rest of the ARN. Lambda@Edge exists only in the partition `aws`.
fn parts(arn: &str) -> Option<(&str, FunctionName, Option<&str>)> {
    let mut fields = arn.strip_prefix("arn:aws:lambda:")?.split(':');
    let (region, account, kind, name) = (fields.next()?, fields.next()?, fields.next()?, fields.next()?);
    let (qualifier, rest) = (fields.next(), fields.next());
    let is_account = account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit());
    let is_word = |text: &str| {
        let letters = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        !text.is_empty() && text.bytes().all(letters)
    };
    let is_qualifier = qualifier.is_none_or(|text| text == "$LATEST" || is_word(text));
    if kind != "function"
        || !is_account
        || !is_word(region)
        || !is_word(name)
        || !is_qualifier
        || rest.is_some()
    {
        return None;
    }
    Some((region, FunctionName { account: account.to_owned(), name: name.to_owned() }, qualifier))
}

fn is_number(text: &str) -> bool {
    !text.starts_with('0') && text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_numbered_version_in_us_east_1_is_one_that_cloudfront_takes() {
        let function = "arn:aws:lambda:us-east-1:111122223333:function:edge-authorizer";
        for (arn, expected) in [
            (format!("{function}:3"), None),
            (format!("{function}:1207"), None),
            (function.to_owned(), Some(ArnError::Unqualified)),
            (format!("{function}:$LATEST"), Some(ArnError::Latest)),
            (format!("{function}:live"), Some(ArnError::Alias)),
            (format!("{function}:03"), Some(ArnError::Alias)),
            (format!("{function}:3:4"), Some(ArnError::Form)),
            (format!("{function}:"), Some(ArnError::Form)),
            (format!("{function}:3 "), Some(ArnError::Form)),
            (format!("{function}:3").replace("us-east-1", "eu-central-1"), Some(ArnError::Region)),
            (format!("{function}:3").replace("arn:aws:", "arn:aws-cn:"), Some(ArnError::Form)),
            (format!("{function}:3").replace("111122223333", "1111"), Some(ArnError::Form)),
            (format!("{function}:3").replace(":function:", ":layer:"), Some(ArnError::Form)),
            ("edge-authorizer:3".to_owned(), Some(ArnError::Form)),
            (String::new(), Some(ArnError::Form)),
        ] {
            let parsed = FunctionVersion::parse(&arn);
            assert_eq!(parsed.as_ref().err().copied(), expected, "{arn}");
            assert!(parsed.is_err() || parsed.unwrap().to_string() == arn);
        }
    }

    #[test]
    fn versions_of_one_function_are_told_from_other_functions() {
        let arn = "arn:aws:lambda:us-east-1:111122223333:function:edge-authorizer";
        let function = FunctionName::parse(&format!("{arn}:3")).unwrap();
        for (other, is) in [
            (arn.to_owned(), true),
            (format!("{arn}:4"), true),
            (format!("{arn}:$LATEST"), true),
            (format!("{arn}-2:4"), false),
            (arn.replace("111122223333", "444455556666"), false),
            (arn.replace("us-east-1", "us-west-2"), false),
            ("arn:aws:cloudfront::111122223333:function/edge-authorizer".to_owned(), false),
        ] {
            assert_eq!(function.is_of(&other), is, "{other}");
        }
    }
}
