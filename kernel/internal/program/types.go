package program

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"go/types"
	"sort"
	"strings"

	"github.com/perijove/perijove/kernel/internal/cell"
)

// A typeText is the source form of a type with gaps for what may be called
// differently in each unit: packages and the notebook's own types.
type typeText struct {
	parts []typePart
	names []string // notebook types that it mentions
	paths []string // packages that it mentions
}

// key tells type texts apart.
func (t *typeText) key() string { return fmt.Sprint(t.parts) }

// A typePart is literal text, or a package (followed by a dot), or a type of
// the notebook.
type typePart struct {
	text, path, name string
}

// A witness is an expression that has the type of a variable, for types that
// cannot be spelled. It is compiled but never evaluated.
type witness struct {
	stmt  *cell.Stmt
	span  cell.Span // of the value in the statement's text
	index int       // which of several values
	count int
	refs  []cell.Ref
	binds map[string]binding
}

// Marks that types.WriteType puts out in place of package names. No Go type
// contains them: tags are quoted.
const (
	markPackage = "\x01"
	markEnd     = "\x02"
	markMain    = "\x03"
)

// spell returns the source form of t, or nil if Go code outside the packages
// that t comes from cannot name it.
func spell(t types.Type, main *types.Package) *typeText {
	if !speakable(t, main) {
		return nil
	}
	s := types.TypeString(t, func(p *types.Package) string {
		if p == main {
			return markMain
		}
		return markPackage + p.Path() + markEnd
	})
	out := &typeText{}
	for s != "" {
		i := strings.IndexAny(s, markPackage+markMain)
		if i < 0 {
			out.parts = append(out.parts, typePart{text: s})
			break
		}
		out.parts = append(out.parts, typePart{text: s[:i]})
		if s[i:i+1] == markPackage {
			path, rest, _ := strings.Cut(s[i+1:], markEnd)
			out.parts = append(out.parts, typePart{path: path})
			out.paths = append(out.paths, path)
			s = rest
			continue
		}
		rest := s[i+2:] // the mark and the dot
		end := 0
		for end < len(rest) && !strings.ContainsRune(" \t\n[](){}*,;.", rune(rest[end])) {
			end++
		}
		name := demangle(rest[:end])
		out.parts = append(out.parts, typePart{name: name})
		out.names = append(out.names, name)
		s = rest[end:]
	}
	return out
}

// fingerprint is equal for two types, of two checks, if code compiled for one
// works on the other: it includes the structure of every notebook type in it.
func fingerprint(t types.Type, main *types.Package) string {
	f := printer{main: main, seen: map[*types.TypeName]bool{}}
	f.text(t)
	for len(f.todo) > 0 {
		n := f.todo[0]
		f.todo = f.todo[1:]
		f.b.WriteString(";" + n.Obj().Name() + "=")
		f.text(n.Underlying())
	}
	sum := sha256.Sum256([]byte(f.b.String()))
	return hex.EncodeToString(sum[:12])
}

type printer struct {
	main *types.Package
	b    strings.Builder
	seen map[*types.TypeName]bool
	todo []*types.Named
}

func (f *printer) text(t types.Type) {
	f.b.WriteString(types.TypeString(t, (*types.Package).Path))
	f.walk(t, map[types.Type]bool{})
}

// walk queues the notebook's named types under t.
func (f *printer) walk(t types.Type, seen map[types.Type]bool) {
	if seen[t] {
		return
	}
	seen[t] = true
	switch t := t.(type) {
	case *types.Alias:
		f.b.WriteString("~" + types.TypeString(types.Unalias(t), (*types.Package).Path))
		f.walk(types.Unalias(t), seen)
	case *types.Named:
		for a := range t.TypeArgs().Types() {
			f.walk(a, seen)
		}
		if t.Obj().Pkg() == f.main && !f.seen[t.Obj()] {
			f.seen[t.Obj()] = true
			f.todo = append(f.todo, t)
		}
	case *types.Pointer:
		f.walk(t.Elem(), seen)
	case *types.Slice:
		f.walk(t.Elem(), seen)
	case *types.Array:
		f.walk(t.Elem(), seen)
	case *types.Chan:
		f.walk(t.Elem(), seen)
	case *types.Map:
		f.walk(t.Key(), seen)
		f.walk(t.Elem(), seen)
	case *types.Signature:
		f.walkTuple(t.Params(), seen)
		f.walkTuple(t.Results(), seen)
	case *types.Struct:
		for v := range t.Fields() {
			f.walk(v.Type(), seen)
		}
	case *types.Interface:
		for m := range t.ExplicitMethods() {
			f.walk(m.Type(), seen)
		}
		for e := range t.EmbeddedTypes() {
			f.walk(e, seen)
		}
	}
}

func (f *printer) walkTuple(t *types.Tuple, seen map[types.Type]bool) {
	for v := range t.Variables() {
		f.walk(v.Type(), seen)
	}
}

// describe gives a type as users write it: package names without paths.
func describe(t types.Type, main *types.Package) string {
	return demangle(types.TypeString(t, func(p *types.Package) string {
		if p == main {
			return ""
		}
		return p.Name()
	}))
}

// mangleMark ends the user's part of a generated name. It is a letter to Go.
const mangleMark = "ʹ"

// demangle takes generated names out of a text: everything from the mark to
// the end of the identifier goes.
func demangle(s string) string {
	for {
		i := strings.Index(s, mangleMark)
		if i < 0 {
			return s
		}
		end := i + len(mangleMark)
		for end < len(s) && (s[end] >= '0' && s[end] <= '9' || s[end] >= 'a' && s[end] <= 'z') {
			end++
		}
		s = s[:i] + s[end:]
	}
}

// Demangle takes the marks of generated names out of a text, such as a
// traceback.
func Demangle(s string) string { return demangle(s) }

func sortedAside(m map[string]*asideSymbol) []*asideSymbol {
	out := make([]*asideSymbol, 0, len(m))
	for _, a := range m {
		out = append(out, a)
	}
	sort.Slice(out, func(i, j int) bool { return out[i].key < out[j].key })
	return out
}

// symbols lists the live symbols by cell and place.
func (p *Program) symbols() []*symbol {
	seen := map[*symbol]bool{}
	var out []*symbol
	for _, s := range p.names {
		if !seen[s] {
			seen[s] = true
			out = append(out, s)
		}
	}
	sortSymbols(out)
	return out
}

func sortSymbols(list []*symbol) {
	sort.Slice(list, func(i, j int) bool {
		a, b := list[i], list[j]
		if a.origin.n != b.origin.n {
			return a.origin.n < b.origin.n
		}
		if a.decl != nil && b.decl != nil && a.decl.Pos != b.decl.Pos {
			if a.decl.Pos.Line != b.decl.Pos.Line {
				return a.decl.Pos.Line < b.decl.Pos.Line
			}
			return a.decl.Pos.Col < b.decl.Pos.Col
		}
		return a.key < b.key
	})
}
