package check

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// ignore is a comment that takes findings back: those of its own line, or those of
// the next if it stands alone, or those of the whole file.
type ignore struct {
	file string
	line int // 0: all
	ids  []string
}

// comment finds "# skep: ignore=ID,ID" and "# skep: ignore-file=ID".
func comment() *regexp.Regexp {
	return regexp.MustCompile(`#\s*skep:\s*(ignore(?:-file)?)\s*=\s*([A-Za-z0-9_,\s-]*)`)
}

// readIgnores reads the comments of a source. A name that is no rule is a finding,
// since it would take nothing back.
func (r *run) readIgnores(m *module) {
	re := comment()
	rules := Rules()
	for i, line := range m.lines {
		match := re.FindStringSubmatchIndex(line)
		if match == nil {
			continue
		}
		ig := ignore{file: m.file, line: i + 1}
		if line[match[2]:match[3]] == "ignore-file" {
			ig.line = 0
		} else if strings.TrimSpace(line[:match[0]]) == "" {
			ig.line = i + 2
		}
		for _, id := range strings.FieldsFunc(line[match[4]:match[5]], func(c rune) bool { return c == ',' || c == ' ' || c == '\t' || c == '\r' }) {
			ig.ids = append(ig.ids, id)
			if !slices.ContainsFunc(rules, func(rule Rule) bool { return rule.ID == id }) && m.ours {
				rule := find(rules, idIgnore)
				r.findings = append(r.findings, Finding{
					rule.ID, rule.Severity, m.file, i + 1, match[0] + 1,
					fmt.Sprintf("there is no rule %s, so this comment takes nothing back", id), "use a name from skep check --list",
				})
			}
		}
		r.ignores = append(r.ignores, ig)
	}
}

// ignored reports whether a finding is taken back.
func (r *run) ignored(f Finding) bool {
	if slices.Contains(r.App.Config.Check.Ignore, f.Rule) {
		return true
	}
	return slices.ContainsFunc(r.ignores, func(ig ignore) bool {
		return ig.file == f.File && (ig.line == 0 || ig.line == f.Line) && slices.Contains(ig.ids, f.Rule)
	})
}
