package program

import (
	"fmt"
	"go/token"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/perijove/perijove/kernel/internal/cell"
	"github.com/perijove/perijove/kernel/internal/program/emit"
	"github.com/perijove/perijove/kernel/internal/program/exportdata"
	"github.com/perijove/perijove/kernel/internal/program/mangle"
	"github.com/perijove/perijove/kernel/internal/program/symtab"
)

// clean rewrites a message of the type checker for users.
func (b *builder) clean(msg string) string {
	if b.p.isSnapshot { // a query shows no messages, and must not wait for the packages that hints are about
		return msg
	}
	if strings.HasPrefix(msg, "cannot assign to "+symtab.ContextFunc) {
		msg = "cannot assign to ctx, the cell's context; ctx := … declares a variable of that name"
	}
	msg = mangle.Demangle(strings.ReplaceAll(ownCalls(msg), symtab.ContextFunc+"()", symtab.ContextName))
	for {
		// "\tCell [1]:2:3: other declaration of x"
		i := strings.Index(msg, "\n\tCell [")
		if i < 0 {
			break
		}
		rest := msg[i+2:]
		at, what, ok := strings.Cut(rest, ": ")
		name, pos, ok2 := strings.Cut(at, "]:")
		if !ok || !ok2 {
			break
		}
		msg = msg[:i] + " (" + name + "] line " + pos + ": " + what + ")"
	}
	name, ok := strings.CutPrefix(msg, "undefined: ")
	if !ok {
		return msg + b.memberHint(msg)
	}
	for s, reason := range b.dropped {
		if slices.Contains(s.Names(), name) {
			return msg + " (set aside: " + reason + ")"
		}
	}
	switch {
	case b.t.Aside[name] != nil:
		return msg + " (set aside: " + b.t.Aside[name].Reason + ")"
	case b.unbound[name] != nil:
		return msg + b.importHint(name)
	}
	if n, ok := b.t.Lost[name]; ok && b.p.cfg.Solo != "" {
		return msg + " (not kept, since each cell is a program of its own here; " + cell.Name(n) + " made it)"
	} else if ok {
		return msg + " (lost with the worker; " + cell.Name(n) + " made it, see %replay)"
	}
	return msg
}

var (
	noMember = regexp.MustCompile(`^([\pL_][\pL\pN_]*)\.([\pL_][\pL\pN_]*) undefined \(type `)
	noMethod = regexp.MustCompile(`\(type \*?([\pL_][\pL\pN_]*)(?:\[.*\])? has no field or method ([\pL_][\pL\pN_]*)`)
)

// memberHint explains why something has no such member: its method is set aside, or a package was meant, whose name the
// notebook has given to something else.
func (b *builder) memberHint(msg string) string {
	if m := noMethod.FindStringSubmatch(msg); m != nil {
		if method := b.t.Aside[m[1]+"."+m[2]]; method != nil {
			return " (set aside: " + method.Reason + ")"
		}
	}
	m := noMember.FindStringSubmatch(msg)
	if m == nil {
		return ""
	}
	s := b.lookup(m[1])
	path := b.p.pkgs.ByName(m[1], m[2:])
	if s == nil || s.Origin == nil || s.Origin.Cell == b.c.N || path == "" || !b.p.pkgs.ExportsAll(path, m[2:]) {
		return ""
	}
	return fmt.Sprintf(" (the %s %s of %s hides package %s; %%rm %s removes it)", s.KindWord(), m[1], cell.Name(s.Origin.Cell), path, m[1])
}

// importHint says how to come by a package that is used by its name alone. The worker may have it, under a path that
// only its users know.
func (b *builder) importHint(name string) string {
	if token.IsExported(name) { // no package is called so
		return ""
	}
	if im, ok := b.p.cfg.Importer.(packageLister); ok {
		names := im.Packages()
		for _, path := range slices.Sorted(maps.Keys(names)) {
			if exportdata.Importable(path) && names[path] == name && b.p.pkgs.ExportsAll(path, b.unbound[name]) {
				return fmt.Sprintf(" (import %q is missing)", path)
			}
		}
	}
	if path := exportdata.BeyondStd(name); path != "" {
		return fmt.Sprintf(" (if it is package %s: %%get %s fetches it)", path, path)
	}
	return " (if it is a package, import it by its path; %get PATH fetches one that is missing)"
}

// Messages about what is put around a cell's last expression to show it.
var (
	ownArgument = regexp.MustCompile(` in argument to ` + ownNames)
	ownInfer    = regexp.MustCompile(`^in call to ` + ownNames + `, cannot infer .*`)
	ownNames    = `(?:` + emit.DiscardName + `|` + emit.ShowName + `|` + emit.ShowErrName + `)`
)

// cellReturns takes the place of Go's complaint about a value after return in a cell's statements.
const cellReturns = "a cell returns nothing: return alone ends it, panic(err) ends it with an error, " +
	"and an expression at its end is shown"

// noPlace is how the type checker names a place that it has no position of, in a package's export data.
const noPlace = " (declared at -)"

// ownCalls rewrites what the type checker says of calls that the cell does not have.
func ownCalls(msg string) string {
	if ownInfer.MatchString(msg) {
		return "a generic function is no value without its type arguments, as in f[int]"
	}
	return strings.ReplaceAll(ownArgument.ReplaceAllString(msg, ""), noPlace, "")
}

// withoutEchoes leaves out faults that only follow from others: the type checker finds no use of an import where it
// has given up before it came to it.
func withoutEchoes(list []fault) []fault {
	echo := func(f fault) bool {
		return f.err.Pos.Line == 0 && strings.Contains(f.err.Msg, " imported ") && strings.HasSuffix(f.err.Msg, " and not used")
	}
	if !slices.ContainsFunc(list, func(f fault) bool { return !echo(f) }) {
		return list
	}
	return slices.DeleteFunc(list, echo)
}
