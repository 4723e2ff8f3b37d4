package program

import (
	"fmt"
	"go/token"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/perijove/perijove/kernel/internal/cell"
	"github.com/perijove/perijove/kernel/internal/program/advice"
	"github.com/perijove/perijove/kernel/internal/program/check"
	"github.com/perijove/perijove/kernel/internal/program/exportdata"
	"github.com/perijove/perijove/kernel/internal/program/symtab"
)

// explain adds the cause to a message of the type checker if the notebook's state shows it.
func (b *builder) explain(msg string) string {
	if b.p.isSnapshot { // a query shows no messages, and must not wait for packages
		return msg
	}
	name, ok := strings.CutPrefix(msg, "undefined: ")
	if !ok {
		return msg + b.memberHint(msg)
	}
	for s, reason := range b.broken {
		if slices.Contains(s.Names(), name) {
			return msg + " (it no longer compiles: " + reason + ")"
		}
	}
	switch {
	case b.table.Aside[name] != nil:
		return msg + " (it no longer compiles: " + b.table.Aside[name].Reason + ")"
	case b.unbound[name] != nil:
		return msg + b.importHint(name)
	}
	if n, ok := b.table.Lost[name]; ok && b.p.cfg.Standalone != "" {
		return msg + " (not kept, since each cell runs as a separate program; " + cell.Name(n) + " made it)"
	} else if ok {
		return msg + " (lost when the process that runs the cells ended; " + cell.Name(n) + " made it, see %replay)"
	}
	return msg
}

var (
	noMember = regexp.MustCompile(`^([^\s.()\[\]{}*&"]+)\.([^\s.()\[\]{}*&"]+) undefined \(type `)
	noMethod = regexp.MustCompile(`\(type \*?([^\s.()\[\]{}*]+)(?:\[.*\])? has no field or method ([^\s.,()\[\]{}*]+)`)
)

// memberHint explains an error about a missing field or method: the method is set aside, or the name is meant as
// a package but the notebook declares it as something else.
func (b *builder) memberHint(msg string) string {
	if m := noMethod.FindStringSubmatch(msg); m != nil {
		if method := b.table.Aside[m[1]+"."+m[2]]; method != nil {
			return " (it no longer compiles: " + method.Reason + ")"
		}
	}
	m := noMember.FindStringSubmatch(msg)
	if m == nil {
		return ""
	}
	s := b.lookup(m[1])
	path := b.p.pkgs.ByName(m[1], m[2:])
	if s == nil || s.Origin == nil || s.Origin.Cell == b.cell.N || path == "" || !b.p.pkgs.ExportsAll(path, m[2:]) {
		return ""
	}
	return fmt.Sprintf(" (the %s %s of %s hides package %s; %%rm %s removes it)", s.KindWord(), m[1], cell.Name(s.Origin.Cell), path, m[1])
}

// importHint says how to get a package that is used without an import. If the worker process has a package of this
// name, the hint is its import path.
func (b *builder) importHint(name string) string {
	if token.IsExported(name) { // package names are lower case
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
	if text := advice.Package(name, b.unbound[name], b.p.pkgs.Std, b.p.pkgs.ExportsAll); text != "" {
		return " (" + text + ")"
	}
	if path := exportdata.BeyondStd(name); path != "" {
		return fmt.Sprintf(" (if this is package %s, %%get %s fetches it)", path, path)
	}
	return " (if this is a package, import it by its path; %get PATH fetches a missing package)"
}

// checker returns the checker of the cell's units.
func (b *builder) checker() *check.Checker {
	origin := func(n int) *symtab.Origin {
		if n == b.cell.N {
			return b.origin
		}
		return b.table.Cells[n]
	}
	c := &check.Checker{Lang: b.p.cfg.Lang, Importer: b.p.pkgs, Cell: b.cell.N, Origin: origin, Explain: b.explain}
	if !b.p.isSnapshot {
		c.Names = func() (declared, packages []string) {
			return slices.Sorted(maps.Keys(b.table.Names)), slices.Sorted(maps.Keys(b.p.pkgs.Std))
		}
	}
	return c
}
