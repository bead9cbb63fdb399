// Package policy evaluates AWS IoT Core policies: JSON documents of statements with Effect,
// Action or NotAction, Resource or NotResource, and Condition, with policy variables in
// resources and in condition values.
//
// A document is parsed once (Parse), compiled once for each connection with that connection's
// variables (Compile), and then asked for each message (Compiled.Check) without allocating.
// Explain answers the same question slowly and says which statement decided, or why none did.
//
// It is not IAM: there are no principals, no roles, no session policies, no resource policies.
//
// The rules followed are AWS's documentation "AWS IoT Core policies", "policy actions", "policy
// variables" and "Publish/Subscribe policy examples": default deny; an explicit deny wins; `*`
// stands for any run of characters, slashes included; `?` for one character; `+` and `#` are
// ordinary characters in a policy.
package policy
