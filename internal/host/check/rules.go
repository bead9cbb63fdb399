package check

import (
	"embed"
	"strings"
)

// Rule is one thing that fails on a module.
type Rule struct {
	ID       string   `json:"id"`
	Title    string   `json:"title"`
	Severity Severity `json:"severity"`

	check func(r *run)
}

//go:embed rules
var pages embed.FS

// Page is the explanation of a rule, as markdown: what fails and why, wrong and right.
func (r *Rule) Page() string {
	text, err := pages.ReadFile("rules/" + r.ID + ".md")
	if err != nil {
		panic("no page for " + r.ID) // a test wants every rule to have one
	}
	return string(text)
}

// Examples are the sources of the page's parts "Wrong" and "Right": path below
// /flash to text.
func (r *Rule) Examples() (wrong, right map[string]string) {
	parts := strings.Split(r.Page(), "\n## ")
	for _, p := range parts[1:] {
		title, text, _ := strings.Cut(p, "\n")
		switch strings.TrimSpace(title) {
		case "Wrong":
			wrong = blocks(text)
		case "Right":
			right = blocks(text)
		}
	}
	return wrong, right
}

// blocks are the code blocks of a markdown text that name a file: ```python main.py
func blocks(text string) map[string]string {
	files := map[string]string{}
	for {
		_, rest, ok := strings.Cut(text, "```")
		if !ok {
			return files
		}
		info, rest, _ := strings.Cut(rest, "\n")
		body, after, _ := strings.Cut(rest, "```")
		if _, file, ok := strings.Cut(info, " "); ok {
			files[strings.TrimSpace(file)] = body
		}
		text = after
	}
}

// The rules that the package itself names.
const (
	idSyntax = "syntax"
	idIgnore = "unknown-ignore"
)

// Rules are all rules, in the order of their names within each group.
func Rules() []Rule {
	return []Rule{
		{"aws-certificate", "AWS wants a certificate of the device", Error, awsCertificate},
		{"aws-endpoint", "the endpoint's form is not the module's", Error, awsEndpoint},
		{"aws-port", "AWS IoT is not at this port", Error, awsPort},
		{"mqtt-qos", "AWS IoT has no QoS 2", Error, mqttQoS},
		{"mqtt-topic", "AWS IoT refuses this topic", Error, mqttTopic},

		{"ca-not-root", "the modem needs the root certificate", Error, caNotRoot},
		{"ca-not-used", "AWS's chain does not end in this root", Warning, caNotUsed},
		{"cert-expired", "the certificate is not valid now", Error, certExpired},
		{"cert-format", "the modem can't read this file", Error, certFormat},
		{"cert-mismatch", "certificate and key do not belong together", Error, certMismatch},
		{"cert-missing", "a file for TLS is not there", Error, certMissing},
		{"key-not-secure", "a key that anybody can read back", Warning, keyNotSecure},
		{"secure-read", "a secure file can't be read", Error, secureRead},

		{"socket-leak", "sockets run out", Warning, socketLeak},
		{"socket-limit", "more sockets than the module has", Error, socketLimit},
		{"wrap-after-connect", "wrap_socket comes before connect", Error, wrapAfterConnect},
		{"wrap-files", "a certificate without key or root", Error, wrapFiles},
		{"wrap-keyword", "wrap_socket has no such argument", Error, wrapKeyword},
		{"wrap-not-secure", "wrap_socket needs a socket with IPPROTO_SEC", Error, wrapNotSecure},

		{"busy-loop", "a loop that starves the radio", Warning, busyLoop},
		{"reconnect-loop", "reconnecting without a pause", Warning, reconnectLoop},

		{"errno-number", "the module's error numbers begin at 7000", Error, errnoNumber},
		{"missing-attribute", "the firmware has no such name", Error, missingAttribute},
		{"missing-module", "there is no such module", Error, missingModule},
		{idSyntax, "the firmware's Python can't read this", Error, nil},
		{"undefined-name", "nothing defines this name", Error, undefinedName},

		{"file-name", "the module's file system takes no such name", Error, fileName},
		{"import-case", "the import's letters are not the file's", Warning, importCase},
		{"main-mpy", "main.mpy beside main.py never runs", Warning, mainMpy},
		{"name-case", "two names that are one on the module", Error, nameCase},
		{"shadows-builtin", "the firmware's module comes first", Warning, shadowsBuiltin},
		{"shadows-mpy", "a .py file hides the .mpy file", Error, shadowsMpy},

		{"bundle-loop", "os.bundle() at every start is a boot loop", Error, bundleLoop},
		{"bundle-missing", "a file for the bundle is not there", Error, bundleMissing},
		{"bundle-then-code", "nothing runs behind os.bundle()", Warning, bundleThenCode},
		{"bundle-too-big", "the bundle has no room for it", Error, bundleTooBig},
		{"import-before-bundle", "imported from the old bundle", Warning, importBeforeBundle},
		{"import-memory", "there is no memory to import it", Error, importMemory},
		{"bundle-main", "main can't be bundled", Error, mainBundled},

		{idIgnore, "a comment that takes nothing back", Warning, nil},
	}
}
