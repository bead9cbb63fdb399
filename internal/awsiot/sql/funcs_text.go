package sql

import (
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"errors"
	"fmt"
	"regexp"
	"regexp/syntax"
	"strings"
	"unicode/utf8"
)

// textFunctions take strings, and what converts to one.
var textFunctions = map[string]*function{
	"length":         onText(1, func(_ *run, s []string) value { return integer(int64(utf8.RuneCountInString(s[0]))) }),
	"numbytes":       onText(1, func(_ *run, s []string) value { return integer(int64(len(s[0]))) }),
	"lower":          onText(1, func(_ *run, s []string) value { return str(strings.ToLower(s[0])) }),
	"upper":          onText(1, func(_ *run, s []string) value { return str(strings.ToUpper(s[0])) }),
	"trim":           onText(1, func(_ *run, s []string) value { return str(strings.TrimSpace(s[0])) }),
	"ltrim":          onText(1, func(_ *run, s []string) value { return str(strings.TrimLeft(s[0], " \t")) }),
	"rtrim":          onText(1, func(_ *run, s []string) value { return str(strings.TrimRight(s[0], " \t")) }),
	"startswith":     onText(2, func(_ *run, s []string) value { return boolean(strings.HasPrefix(s[0], s[1])) }),
	"endswith":       onText(2, func(_ *run, s []string) value { return boolean(strings.HasSuffix(s[0], s[1])) }),
	"indexof":        onText(2, indexOf),
	"replace":        onText(3, replace),
	"md2":            hashed(func(b []byte) []byte { h := md2(b); return h[:] }),
	"md5":            hashed(func(b []byte) []byte { h := md5.Sum(b); return h[:] }),
	"sha1":           hashed(func(b []byte) []byte { h := sha1.Sum(b); return h[:] }),
	"sha224":         hashed(func(b []byte) []byte { h := sha256.Sum224(b); return h[:] }),
	"sha256":         hashed(func(b []byte) []byte { h := sha256.Sum256(b); return h[:] }),
	"sha384":         hashed(func(b []byte) []byte { h := sha512.Sum384(b); return h[:] }),
	"sha512":         hashed(func(b []byte) []byte { h := sha512.Sum512(b); return h[:] }),
	"lpad":           {least: 2, most: 2, do: pad(func(s, spaces string) string { return spaces + s })},
	"rpad":           {least: 2, most: 2, do: pad(func(s, spaces string) string { return s + spaces })},
	"substring":      {least: 2, most: 3, do: substring},
	"regexp_matches": {least: 2, most: 2, prepare: prepareRegexp, do: regexpMatches},
	"regexp_substr":  {least: 2, most: 2, prepare: prepareRegexp, do: regexpSubstr},
	"regexp_replace": {least: 3, most: 3, prepare: prepareRegexp, do: regexpReplace},
}

// onText wraps a function of n strings: Undefined when one argument converts to none.
func onText(n int, f func(r *run, s []string) value) *function {
	return &function{least: n, most: n, do: func(r *run, args []value, _ any) value {
		var room [3]string
		s := room[:n]
		for i, a := range args {
			var ok bool
			if s[i], ok = a.toString(); !ok || !r.text(len(s[i])) {
				return undefined
			}
		}
		return f(r, s)
	}}
}

func hashed(sum func([]byte) []byte) *function {
	return onText(1, func(r *run, s []string) value {
		if !r.charge(len(s[0]) / 16) {
			return undefined
		}
		return str(hex.EncodeToString(sum([]byte(s[0]))))
	})
}

// indexOf counts characters, -1 for none, which AWS does not say.
func indexOf(_ *run, s []string) value {
	i := strings.Index(s[0], s[1])
	if i > 0 {
		i = utf8.RuneCountInString(s[0][:i])
	}
	return integer(int64(i))
}

func replace(r *run, s []string) value {
	if s[1] == "" {
		return str(s[0])
	}
	n := strings.Count(s[0], s[1])
	if !r.text(len(s[0]) + n*(len(s[2])-len(s[1]))) {
		return undefined
	}
	return str(strings.ReplaceAll(s[0], s[1], s[2]))
}

// maxPad is the most that lpad and rpad add.
const maxPad = 1000

func pad(join func(s, spaces string) string) func(*run, []value, any) value {
	return func(r *run, a []value, _ any) value {
		s, ok1 := a[0].toString()
		n, ok2 := a[1].toIndex()
		if !ok1 || !ok2 {
			return undefined
		}
		n = min(max(n, 0), maxPad)
		if !r.text(len(s) + n) {
			return undefined
		}
		return str(join(s, strings.Repeat(" ", n)))
	}
}

func substring(r *run, a []value, _ any) value {
	s, ok := a[0].toString()
	from, ok2 := a[1].toIndex()
	if !ok || !ok2 || !r.text(len(s)) {
		return undefined
	}
	chars := []rune(s)
	to := len(chars)
	if len(a) == 3 {
		if to, ok = a[2].toIndex(); !ok {
			return undefined
		}
	}
	from, to = min(max(from, 0), len(chars)), min(max(to, 0), len(chars))
	if from >= to {
		return str("")
	}
	return str(string(chars[from:to]))
}

// prepareRegexp compiles a constant expression once, and tells at that time what is not there.
func prepareRegexp(args []node) (any, error) {
	l, ok := args[1].(literal)
	if !ok {
		return nil, nil
	}
	pattern, ok := l.v.toString()
	if !ok {
		return nil, nil
	}
	re, err := compileRegexp(pattern)
	if err != nil {
		return nil, err
	}
	return re, nil
}

// maxPattern is how long an expression that is made while evaluating may be.
const maxPattern = 1000

// compileRegexp gives nil for what is no regular expression, and an error for what only Java's
// engine, which is AWS's, would understand.
func compileRegexp(pattern string) (*regexp.Regexp, error) {
	if len(pattern) > maxPattern {
		return nil, fmt.Errorf("the regular expression has %d bytes, the limit here is %d", len(pattern), maxPattern)
	}
	re, err := regexp.Compile(pattern)
	var se *syntax.Error
	if errors.As(err, &se) {
		switch se.Code {
		case syntax.ErrInvalidPerlOp, syntax.ErrInvalidEscape, syntax.ErrInvalidRepeatOp, syntax.ErrInvalidRepeatSize, syntax.ErrInvalidCharRange, syntax.ErrNestingDepth, syntax.ErrLarge:
			return nil, fmt.Errorf("the regular expression %q is not available locally (%s %s): look-around, back references and possessive quantifiers of Java are not there", pattern, se.Code, se.Expr)
		}
		return nil, nil
	}
	return re, err
}

// regexpArgs gives the string and the compiled expression; ok is false for Undefined.
func regexpArgs(r *run, a []value, ready any) (s string, re *regexp.Regexp, ok bool) {
	s, ok = a[0].toString()
	pattern, ok2 := a[1].toString()
	if !ok || !ok2 || !r.text(len(s)) {
		return "", nil, false
	}
	re, _ = ready.(*regexp.Regexp)
	if re == nil {
		var err error
		if re, err = compileRegexp(pattern); err != nil {
			r.fail("%v", err)
			return "", nil, false
		}
		r.charge(len(pattern) * 16)
	}
	return s, re, re != nil && r.charge(len(s))
}

func regexpMatches(r *run, a []value, ready any) value {
	s, re, ok := regexpArgs(r, a, ready)
	if !ok {
		return undefined
	}
	return boolean(re.MatchString(s))
}

// regexpSubstr is Undefined without a match, which AWS does not say.
func regexpSubstr(r *run, a []value, ready any) value {
	s, re, ok := regexpArgs(r, a, ready)
	if !ok {
		return undefined
	}
	m := re.FindStringIndex(s)
	if m == nil {
		return undefined
	}
	return str(s[m[0]:m[1]])
}

func regexpReplace(r *run, a []value, ready any) value {
	s, re, ok := regexpArgs(r, a, ready)
	with, ok2 := a[2].toString()
	if !ok || !ok2 {
		return undefined
	}
	parts, ok := javaReplacement(with, re.NumSubexp())
	if !ok {
		return undefined
	}
	var b []byte
	last := 0
	for _, m := range re.FindAllStringSubmatchIndex(s, -1) {
		b = append(b, s[last:m[0]]...)
		for _, p := range parts {
			if p.group < 0 {
				b = append(b, p.text...)
			} else if from := m[2*p.group]; from >= 0 {
				b = append(b, s[from:m[2*p.group+1]]...)
			}
		}
		if last = m[1]; !r.text(len(b)) {
			return undefined
		}
	}
	return str(string(append(b, s[last:]...)))
}

// replacementPart is text, or a group of the match.
type replacementPart struct {
	text  string
	group int // -1: text
}

// javaReplacement takes a replacement of java.util.regex apart: $n is a group, as many digits
// as make an existing one; a backslash takes the next character as it is.
func javaReplacement(s string, groups int) ([]replacementPart, bool) {
	var out []replacementPart
	var text []byte
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '\\':
			if i++; i == len(s) {
				return nil, false
			}
			text = append(text, s[i])
		case '$':
			i++
			if i == len(s) || !digit(s[i]) {
				return nil, false
			}
			n := int(s[i] - '0')
			if n > groups {
				return nil, false
			}
			for i+1 < len(s) && digit(s[i+1]) && n*10+int(s[i+1]-'0') <= groups {
				i++
				n = n*10 + int(s[i]-'0')
			}
			out = append(out, replacementPart{string(text), -1}, replacementPart{"", n})
			text = nil
		default:
			text = append(text, s[i])
		}
	}
	return append(out, replacementPart{string(text), -1}), true
}
