package export

import (
	"fmt"
	"go/parser"
	"go/token"
	"strconv"
	"strings"

	"github.com/perijove/perijove/kernel/internal/export/gomodule"
	"github.com/perijove/perijove/kernel/internal/export/workerprogram"
	"github.com/perijove/perijove/kernel/internal/program/exportdata"
	"github.com/perijove/perijove/kernel/internal/program/identity"
)

// workerFiles returns the files of a worker program for the files of a notebook's program.
func workerFiles(m *gomodule.Module, opt Options, files map[string][]byte) (map[string][]byte, error) {
	c := workerprogram.Config{Notebook: opt.Source, Release: opt.Release}
	var err error
	if c.Library, err = identity.Library(opt.Library); err != nil {
		return nil, err
	}
	if c.PackageNames, err = packageNames(m, files["main.go"]); err != nil {
		return nil, err
	}
	c.PackageVersion = func(path string) (string, error) {
		if exportdata.IsStd(path) || identity.IsLibrary(path) {
			return "", nil // the release, or the hash of the library, covers it
		}
		out, err := m.Run([]string{"GOFLAGS=-mod=mod"}, "list", "-deps", "-json="+identity.ListFields, "--", path)
		if err != nil {
			return "", err
		}
		return identity.Version(out)
	}
	delete(files, "main_test.go")
	files["main.go"], err = workerprogram.Transform(files["main.go"], c)
	return files, err
}

// packageNames returns the names of the packages that a file imports, by path.
func packageNames(m *gomodule.Module, text []byte) (map[string]string, error) {
	f, err := parser.ParseFile(token.NewFileSet(), "main.go", text, parser.ImportsOnly)
	if err != nil {
		return nil, err
	}
	args := []string{"list", "-f", "{{.ImportPath}} {{.Name}}", "--"}
	for _, im := range f.Imports {
		path, err := strconv.Unquote(im.Path.Value)
		if err != nil {
			return nil, err
		}
		args = append(args, path)
	}
	names := map[string]string{}
	if len(f.Imports) == 0 {
		return names, nil
	}
	out, err := m.Run([]string{"GOFLAGS=-mod=mod"}, args...)
	if err != nil {
		return nil, err
	}
	for line := range strings.Lines(string(out)) {
		var path, name string
		if _, err := fmt.Sscan(line, &path, &name); err != nil {
			return nil, err
		}
		names[path] = name
	}
	return names, nil
}
