package perijove

import (
	"go/ast"
	"go/build"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// maxUpward is the maximum percentage of references between the files of a package that go upward.
const maxUpward = 10

// layered lists the large packages, whose files are layers: there is an order in which most files refer only to
// files below them.
var layered = []string{
	"kernel/internal/worker", "kernel/internal/session", "kernel/internal/program", "kernel/internal/link",
	"kernel/internal/supervisor", "lib/mp",
}

// TestFilesAreLayers counts the pairs of files of which one refers to the other, in the best order of the files that it
// finds. A reference that goes upward can be avoided: by a move of the declaration to a lower file, or of the function that
// refers to it to a higher one.
func TestFilesAreLayers(t *testing.T) {
	exports := exportFiles(t)
	for _, folder := range layered {
		t.Run(folder, func(t *testing.T) {
			refs := references(t, folder, exports)
			pairs := 0
			for _, to := range refs {
				pairs += len(to)
			}
			up := upward(refs)
			if pairs < 20 {
				t.Fatalf("only %d references between files were found", pairs)
			}
			if len(up)*100 > maxUpward*pairs {
				t.Errorf("%d of %d references between files go upward, more than %d %%: %q", len(up), pairs, maxUpward, up)
			}
		})
	}
}

// references returns, for each file of a package, the files to whose declarations, methods and fields it refers.
func references(t *testing.T, folder string, exports exported) map[string]map[string]bool {
	t.Helper()
	found, err := build.Default.ImportDir(folder, 0)
	if err != nil {
		t.Fatal(err)
	}
	fset := token.NewFileSet()
	var files []*ast.File
	refs := map[string]map[string]bool{}
	for _, name := range found.GoFiles {
		f, err := parser.ParseFile(fset, filepath.Join(folder, name), nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, f)
		refs[name] = map[string]bool{}
	}
	conf := types.Config{Importer: importer.ForCompiler(fset, "gc", func(path string) (io.ReadCloser, error) { return os.Open(exports.files[path]) })}
	info := &types.Info{Uses: map[*ast.Ident]types.Object{}}
	pkg, err := conf.Check(modulePath+"/"+folder, fset, files, info)
	if err != nil {
		t.Fatal(err)
	}
	for id, o := range info.Uses {
		if o.Pkg() != pkg || !isShared(pkg, o) {
			continue
		}
		from, to := filepath.Base(fset.Position(id.Pos()).Filename), filepath.Base(fset.Position(o.Pos()).Filename)
		if from != to {
			refs[from][to] = true
		}
	}
	return refs
}

// isShared reports whether all files of a package can refer to an object: a declaration, a method or a field.
func isShared(pkg *types.Package, o types.Object) bool {
	switch o := o.(type) {
	case *types.Func:
		return true
	case *types.Var:
		return o.IsField() || o.Parent() == pkg.Scope()
	case *types.PkgName:
		return false
	}
	return o.Parent() == pkg.Scope()
}

// upward returns the references from a file to one above it, in the best order that repeated searches find.
func upward(refs map[string]map[string]bool) []string {
	var names []string
	for name := range refs {
		names = append(names, name)
	}
	slices.Sort(names)
	random := rand.New(rand.NewPCG(1, 1))
	var best []string
	for i := range 50 {
		random.Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
		order := improve(names, refs)
		var list []string
		for at, from := range order {
			for _, to := range order[at+1:] {
				if refs[from][to] {
					list = append(list, from+" → "+to)
				}
			}
		}
		if i == 0 || len(list) < len(best) {
			best = list
		}
	}
	return best
}

// improve moves files within an order, lowest first, until no move of a single file leaves fewer references that go upward.
func improve(order []string, refs map[string]map[string]bool) []string {
	order = slices.Clone(order)
	count := func(from, to string) int {
		if refs[from][to] {
			return 1
		}
		return 0
	}
	for changed := true; changed; {
		changed = false
		for _, name := range slices.Clone(order) {
			at := slices.Index(order, name)
			rest := slices.Delete(slices.Clone(order), at, at+1)
			up := 0 // with name at place
			for _, other := range rest {
				up += count(name, other)
			}
			now, fewest, place := 0, up, 0
			for i := 0; ; i++ {
				if i == at {
					now = up
				}
				if up < fewest {
					fewest, place = up, i
				}
				if i == len(rest) {
					break
				}
				up += count(rest[i], name) - count(name, rest[i])
			}
			if fewest < now {
				order, changed = slices.Insert(rest, place, name), true
			}
		}
	}
	return order
}
