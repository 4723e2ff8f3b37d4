package perijove

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"io"
	"maps"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const modulePath = "github.com/perijove/perijove"

var update = flag.Bool("update", false, "write the imports of packages into ARCHITECTURE.md")

// TestPackagesAreInArchitecture compares the table of packages in
// ARCHITECTURE.md with the code: its packages and what each imports.
func TestPackagesAreInArchitecture(t *testing.T) {
	packages := listPackages(t)
	if *update {
		updateTable(t, packages)
	}
	table := packageTable(t)
	for folder, imports := range packages {
		row, listed := table[folder]
		if !listed {
			t.Errorf("package %s is not in the table of packages in ARCHITECTURE.md", folder)
		} else if text := importsText(imports); text != row {
			t.Errorf("ARCHITECTURE.md lists the imports of %s as %q, and they are %q: go test . -run Architecture -update corrects it", folder, row, text)
		}
	}
	for folder := range table {
		if _, ok := packages[folder]; !ok && folder != "kernel/e2e" && folder != "kernel/papermill" { // they have no Go files
			t.Errorf("ARCHITECTURE.md lists %s, which is no package", folder)
		}
	}
}

// TestLibraryDoesNotImportKernel checks all dependencies of the library, including
// indirect ones.
func TestLibraryDoesNotImportKernel(t *testing.T) {
	deps := dependencies(t, "./lib/...")
	if !slices.Contains(deps, "lib/mp") {
		t.Fatalf("lib/mp is missing: %q", deps)
	}
	for _, folder := range deps {
		if strings.HasPrefix(folder, "kernel/") {
			t.Errorf("the library depends on %s", folder)
		}
	}
}

// TestImageSources checks that Source embeds all packages of this module that the worker
// process needs, because the image is built only from these files.
func TestImageSources(t *testing.T) {
	for _, folder := range dependencies(t, "./kernel/internal/worker", "./kernel/internal/standalone", "./lib/...") {
		if entries, err := Source.ReadDir(folder); err != nil || len(entries) == 0 {
			t.Errorf("the worker needs %s, which is not embedded in Source", folder)
		}
	}
}

// tableRow matches a row of the table of packages: folder, contents, imports.
var tableRow = regexp.MustCompile("(?m)^(\\| `([^`]+)` \\|[^|]+\\| )([^|]+)( \\|)$")

// packageTable returns the imports of each package as ARCHITECTURE.md lists them.
func packageTable(t *testing.T) map[string]string {
	t.Helper()
	text, err := os.ReadFile("ARCHITECTURE.md")
	if err != nil {
		t.Fatal(err)
	}
	table := map[string]string{}
	for _, row := range tableRow.FindAllStringSubmatch(string(text), -1) {
		folder, imports := row[2], row[3]
		if _, ok := table[folder]; ok {
			t.Errorf("ARCHITECTURE.md lists %s twice", folder)
		}
		table[folder] = imports
	}
	return table
}

// updateTable writes the packages' imports into their rows of the table.
func updateTable(t *testing.T, packages map[string][]string) {
	t.Helper()
	text, err := os.ReadFile("ARCHITECTURE.md")
	if err != nil {
		t.Fatal(err)
	}
	updated := tableRow.ReplaceAllStringFunc(string(text), func(line string) string {
		row := tableRow.FindStringSubmatch(line)
		imports, ok := packages[row[2]]
		if !ok {
			return line
		}
		return row[1] + importsText(imports) + row[4]
	})
	if err := os.WriteFile("ARCHITECTURE.md", []byte(updated), 0o644); err != nil {
		t.Fatal(err)
	}
}

// importsText returns the text of the table's last column.
func importsText(folders []string) string {
	if len(folders) == 0 {
		return "–"
	}
	names := make([]string, len(folders))
	for i, folder := range folders {
		names[i] = strings.TrimPrefix(folder, "kernel/internal/")
	}
	slices.Sort(names)
	return strings.Join(names, ", ")
}

// listPackages returns the packages of this module, by folder, each with the folders of
// its imports from this module.
func listPackages(t *testing.T) map[string][]string {
	t.Helper()
	packages := map[string][]string{}
	for dec := json.NewDecoder(bytes.NewReader(goList(t, "-json=ImportPath,Imports", "./..."))); ; {
		var p struct {
			ImportPath string
			Imports    []string
		}
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		packages[folders(p.ImportPath)[0]] = folders(p.Imports...)
	}
	if len(packages) < 25 {
		t.Fatalf("go list found only %d packages", len(packages))
	}
	return packages
}

func dependencies(t *testing.T, patterns ...string) []string {
	t.Helper()
	return folders(strings.Fields(string(goList(t, append([]string{"-deps"}, patterns...)...)))...)
}

// folders returns the folders of those import paths that are in this module.
func folders(paths ...string) []string {
	set := map[string]bool{}
	for _, path := range paths {
		if path == modulePath {
			set["."] = true
		} else if folder, ok := strings.CutPrefix(path, modulePath+"/"); ok {
			set[folder] = true
		}
	}
	return slices.Sorted(maps.Keys(set))
}

func goList(t *testing.T, args ...string) []byte {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", append([]string{"list"}, args...)...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v\n%s", err, stderr.Bytes())
	}
	return out
}
