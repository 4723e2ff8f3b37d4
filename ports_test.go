package perijove

import (
	"encoding/json"
	"fmt"
	"go/ast"
	"go/build"
	"go/build/constraint"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// portsHeading begins the section of ARCHITECTURE.md that lists what differs between processors and Go releases.
const portsHeading = "\n## What a new processor or a new release of Go needs\n"

// portFiles returns the files in the list of ARCHITECTURE.md.
func portFiles(t *testing.T) []string {
	t.Helper()
	text, err := os.ReadFile("ARCHITECTURE.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, ok := strings.Cut(string(text), portsHeading)
	if !ok {
		t.Fatalf("ARCHITECTURE.md has no section %q", strings.TrimSpace(portsHeading))
	}
	section, _, _ = strings.Cut(section, "\n## ")
	var list []string
	for _, row := range regexp.MustCompile("(?m)^\\| `([^`]+)` \\|").FindAllStringSubmatch(section, -1) {
		list = append(list, row[1])
	}
	return list
}

// suffixed matches the names of files that are for one processor or one Go release.
var suffixed = regexp.MustCompile(`_(amd64|arm64|go1\d+)\.(go|s)$`)

// constrained reports whether a source file is only for one processor or only for some Go releases.
func constrained(t *testing.T, file string) bool {
	t.Helper()
	if suffixed.MatchString(file) {
		return true
	}
	f, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ParseComments|parser.PackageClauseOnly)
	if err != nil {
		t.Fatal(err)
	}
	found := false
	for _, group := range f.Comments {
		for _, c := range group.List {
			x, err := constraint.Parse(c.Text)
			if err != nil {
				continue
			}
			x.Eval(func(tag string) bool {
				found = found || tag == "amd64" || tag == "arm64" || strings.HasPrefix(tag, "go1.")
				return true
			})
			x.Eval(func(tag string) bool {
				found = found || tag == "amd64" || tag == "arm64" || strings.HasPrefix(tag, "go1.")
				return false
			})
		}
	}
	return found
}

// TestPortFilesAreListed checks that the list names the constrained files of the tree.
func TestPortFilesAreListed(t *testing.T) {
	listed := portFiles(t)
	for _, file := range listed {
		if _, err := os.Stat(file); err != nil {
			t.Errorf("ARCHITECTURE.md lists %s: %v", file, err)
		}
	}
	err := filepath.WalkDir(".", func(file string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && file != "." && (strings.HasPrefix(d.Name(), ".") || d.Name() == "testdata" || d.Name() == "shared"):
			return filepath.SkipDir
		case d.IsDir(), strings.HasSuffix(file, "_test.go"), path.Ext(file) != ".go" && path.Ext(file) != ".s":
			return nil
		}
		if constrained(t, file) && !slices.Contains(listed, filepath.ToSlash(file)) {
			t.Errorf("%s is for some processors or Go releases alone, and the list in ARCHITECTURE.md lacks it", file)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestPortListIsComplete type-checks the packages for a processor and for a Go release that they do not support. Every
// name that is missing then must be declared in a listed file, and every listed file must declare a missing name.
func TestPortListIsComplete(t *testing.T) {
	listed := portFiles(t)
	exports := exportFiles(t)
	for name, ctx := range map[string]struct {
		build build.Context
		files func(file string) bool
	}{
		"arm64": {buildContext("arm64", releaseTags(0)), func(file string) bool {
			return strings.HasSuffix(file, "_amd64.go") && !strings.HasPrefix(file, "lib/")
		}},
		"next release": {buildContext("amd64", releaseTags(1)), func(file string) bool {
			return strings.HasSuffix(file, "_"+newestKnown+".go")
		}},
	} {
		t.Run(name, func(t *testing.T) {
			declared := map[string]map[string]bool{} // by file
			for _, file := range listed {
				if ctx.files(file) {
					declared[file] = declaredIn(t, file)
				}
			}
			if len(declared) == 0 {
				t.Fatal("the list names no file of this kind")
			}
			c := newPortChecker(t, ctx.build, exports)
			for folder := range exports.folders {
				if _, err := c.Import(modulePath + "/" + folder); err != nil {
					t.Fatal(err)
				}
			}
			for name := range c.missed {
				if !slices.ContainsFunc(slices.Collect(maps.Values(declared)), func(names map[string]bool) bool { return names[name] }) {
					t.Errorf("%s is missing, and no listed file declares it", name)
				}
			}
			for file, names := range declared {
				if !slices.ContainsFunc(slices.Collect(maps.Keys(names)), func(name string) bool { return c.missed[name] }) {
					t.Errorf("%s is listed, and nothing needs it", file)
				}
			}
		})
	}
}

// newestKnown is the newest Go release that has files of this module.
const newestKnown = "go127"

func buildContext(arch string, releases []string) build.Context {
	ctx := build.Default
	ctx.GOOS, ctx.GOARCH, ctx.CgoEnabled, ctx.ReleaseTags = "linux", arch, false, releases
	return ctx
}

// releaseTags returns the release build tags. If later is 0, they are those of the Go release that runs this test.
// Otherwise they are those of the release that is later releases after newestKnown.
func releaseTags(later int) []string {
	if later == 0 {
		return build.Default.ReleaseTags
	}
	var n int
	if _, err := fmt.Sscanf(newestKnown, "go1%d", &n); err != nil {
		panic(err)
	}
	var tags []string
	for i := 1; i <= n+later; i++ {
		tags = append(tags, fmt.Sprintf("go1.%d", i))
	}
	return tags
}

// exported holds the export data files of compiled packages by import path, and the folders of this module's packages.
type exported struct {
	files   map[string]string
	folders map[string]bool
}

func exportFiles(t *testing.T) exported {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "go", "list", "-export", "-deps", "-json=ImportPath,Export", "./kernel/internal/...", "./lib/...").Output()
	if err != nil {
		t.Fatal(err)
	}
	x := exported{map[string]string{}, map[string]bool{}}
	for dec := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p struct{ ImportPath, Export string }
		if err := dec.Decode(&p); err == io.EOF {
			return x
		} else if err != nil {
			t.Fatal(err)
		}
		x.files[p.ImportPath] = p.Export
		if folder, ok := strings.CutPrefix(p.ImportPath, modulePath+"/"); ok {
			x.folders[folder] = true
		}
	}
}

// A portChecker type-checks the packages of this module, with the files that a build context selects.
type portChecker struct {
	t        *testing.T
	ctx      build.Context
	exported exported
	fset     *token.FileSet
	other    types.Importer // for packages of other modules
	checked  map[string]*types.Package
	missed   map[string]bool // names that no file declares, some with their package's name
}

func newPortChecker(t *testing.T, ctx build.Context, x exported) *portChecker {
	c := &portChecker{t: t, ctx: ctx, exported: x, fset: token.NewFileSet(), checked: map[string]*types.Package{}, missed: map[string]bool{}}
	c.other = importer.ForCompiler(c.fset, "gc", func(path string) (io.ReadCloser, error) { return os.Open(x.files[path]) })
	return c
}

func (c *portChecker) Import(path string) (*types.Package, error) {
	folder, ok := strings.CutPrefix(path, modulePath+"/")
	if !ok {
		return c.other.Import(path)
	}
	if p := c.checked[path]; p != nil {
		return p, nil
	}
	found, err := c.ctx.ImportDir(folder, 0)
	if err != nil {
		return nil, err
	}
	var files []*ast.File
	for _, name := range found.GoFiles {
		f, err := parser.ParseFile(c.fset, filepath.Join(folder, name), nil, parser.SkipObjectResolution)
		if err != nil {
			return nil, err
		}
		files = append(files, f)
	}
	conf := types.Config{Importer: c, Error: c.note}
	c.checked[path], _ = conf.Check(path, c.fset, files, nil) // conf's error function records the missing names
	return c.checked[path], nil
}

// note records the name that is missing according to an error of the type checker.
func (c *portChecker) note(err error) {
	typeErr, ok := err.(types.Error)
	if !ok {
		c.t.Error(err)
		return
	}
	name, ok := strings.CutPrefix(typeErr.Msg, "undefined: ")
	if m := missingMember.FindStringSubmatch(typeErr.Msg); !ok && m != nil {
		name, ok = m[1], true
	}
	if ok {
		c.missed[name[strings.LastIndexByte(name, '.')+1:]] = true
	}
}

var missingMember = regexp.MustCompile(`no field or method (\w+)\)`)

// declaredIn returns the names of a file's declarations, including methods and fields.
func declaredIn(t *testing.T, file string) map[string]bool {
	t.Helper()
	f, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	names := map[string]bool{}
	ast.Inspect(f, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncDecl:
			names[n.Name.Name] = true
			return false
		case *ast.TypeSpec:
			names[n.Name.Name] = true
		case *ast.ValueSpec:
			for _, id := range n.Names {
				names[id.Name] = true
			}
		case *ast.Field:
			for _, id := range n.Names {
				names[id.Name] = true
			}
		}
		return true
	})
	return names
}
