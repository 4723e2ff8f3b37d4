package image

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/perijove/perijove/kernel/internal/goobj"
	"github.com/perijove/perijove/kernel/internal/link"
	"github.com/perijove/perijove/kernel/internal/symindex"
)

// Some tables of cmd/link and cmd/compile are only in their source code, so this file reads
// them from the toolchain's sources.

// parseToolchain parses a source file of the toolchain.
func parseToolchain(file string) (*ast.File, error) {
	f, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
	if err != nil {
		return nil, fmt.Errorf("cannot parse a source file of the Go toolchain, which Perijove needs: %w", err)
	}
	return f, nil
}

// readBuiltins reads the list of runtime functions to which objects refer by number.
func readBuiltins(file string) ([]symindex.Builtin, error) {
	f, err := parseToolchain(file)
	if err != nil {
		return nil, err
	}
	var list []symindex.Builtin
	ast.Inspect(f, func(n ast.Node) bool {
		c, ok := n.(*ast.CompositeLit)
		if !ok || len(c.Elts) != 2 {
			return true
		}
		name, ok1 := c.Elts[0].(*ast.BasicLit)
		abi, ok2 := c.Elts[1].(*ast.BasicLit)
		if ok1 && ok2 && name.Kind == token.STRING && abi.Kind == token.INT {
			s, _ := strconv.Unquote(name.Value)
			v, _ := strconv.Atoi(abi.Value)
			list = append(list, symindex.Builtin{Name: s, ABI: uint16(v)})
		}
		return true
	})
	if len(list) < 100 {
		return nil, fmt.Errorf("the file %s of the Go toolchain lists only %d built-in functions: Perijove does not support this version of Go", file, len(list))
	}
	return list, nil
}

// readBlocked reads the list of symbols to which cmd/link allows references by linkname only from certain packages of
// the standard library.
func readBlocked(file string) ([]string, error) {
	f, err := parseToolchain(file)
	if err != nil {
		return nil, err
	}
	var list []string
	ast.Inspect(f, func(n ast.Node) bool {
		v, ok := n.(*ast.ValueSpec)
		if !ok || len(v.Names) != 1 || v.Names[0].Name != "blockedLinknames" || len(v.Values) != 1 {
			return true
		}
		if c, ok := v.Values[0].(*ast.CompositeLit); ok {
			for _, e := range c.Elts {
				if kv, ok := e.(*ast.KeyValueExpr); ok {
					if key, ok := kv.Key.(*ast.BasicLit); ok && key.Kind == token.STRING {
						s, _ := strconv.Unquote(key.Value)
						list = append(list, s)
					}
				}
			}
		}
		return false
	})
	if len(list) == 0 {
		return nil, fmt.Errorf("the file %s of the Go toolchain has no list of blocked linknames: Perijove does not support this version of Go", file)
	}
	return list, nil
}

// addPrivate records the symbols of a package of the standard library to which other
// packages must not refer by a linkname.
func (x *indexer) addPrivate(objs []*goobj.Object) {
	byKey := map[symbolKey]goobj.Sym{}
	each := func(visit func(o *goobj.Object, s goobj.Sym, k symbolKey)) {
		for _, o := range objs {
			for i := range o.NumDef() {
				s := o.Sym(i)
				if !o.Std() || s.Name() == "" || s.ABI() == goobj.ABIStatic || o.Hashed(i) {
					continue
				}
				k := symbolKey{name: s.Name()}
				if s.Kind().IsText() {
					k.abi = s.ABI()
				}
				visit(o, s, k)
			}
		}
	}
	each(func(_ *goobj.Object, s goobj.Sym, k symbolKey) { byKey[k] = s })
	each(func(o *goobj.Object, s goobj.Sym, k symbolKey) {
		other := func() (goobj.Sym, bool) {
			w, ok := byKey[symbolKey{k.name, 1 - k.abi}]
			return w, ok
		}
		if !link.AllowsLinkname(o, s, other) {
			x.private[symbolKey{strings.Clone(k.name), k.abi}] = true
		}
	})
}

// restrictLinknames marks the symbols to which cells and modules must not refer by a
// linkname, unless -checklinkname=0 is set.
func (b *builder) restrictLinknames(x *indexer) error {
	out, err := b.goCommand("env", "GOFLAGS")
	if err != nil {
		return err
	}
	if strings.Contains(string(out), "-checklinkname=0") { // the flag is in -ldflags
		x.symbols = append(x.symbols, symindex.Symbol{Name: symindex.AnyLinkname, Addr: 1})
		return nil
	}
	blocked, err := readBlocked(filepath.Join(b.tc.Root, "src/cmd/link/internal/loader/loader.go"))
	if err != nil {
		return err
	}
	present := map[string]bool{}
	for i := range x.symbols {
		s := &x.symbols[i]
		k := symbolKey{name: s.Name}
		if s.Text {
			k.abi = s.ABI
		}
		listed := slices.Contains(blocked, s.Name)
		s.Private = listed || x.private[k]
		if listed {
			present[s.Name] = true
		}
	}
	for _, name := range blocked {
		if !present[name] {
			x.symbols = append(x.symbols, symindex.Symbol{Name: name, Private: true})
		}
	}
	return nil
}
