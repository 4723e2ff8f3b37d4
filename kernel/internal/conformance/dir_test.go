package conformance

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/perijove/perijove/kernel/internal/image"
)

var (
	packageClause  = regexp.MustCompile(`(?m)^package ([\p{L}_\d]+)`)
	relativeImport = regexp.MustCompile(`"\./([\w]+)"`)
)

// withoutPackage removes the package clause, so that the file can follow
// another one in a cell.
func withoutPackage(src string) string {
	at := packageClause.FindStringIndex(src)
	if at == nil {
		return src
	}
	return "\n" + src[:at[0]] + src[at[1]:]
}

// compileDir compiles the packages in a program's folder, in the order of their files. It
// returns the archives by import path, and the source of the last package, the main program.
func compileDir(t *testing.T, img *image.Image, root string, p program) (archives map[string]string, main string, err error) {
	dir := filepath.Join(root, strings.TrimSuffix(p.file, ".go")+".dir")
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		return nil, "", err
	}
	var order []string
	members := map[string][]string{}
	for _, file := range files {
		src, err := os.ReadFile(file)
		if err != nil {
			return nil, "", err
		}
		m := packageClause.FindSubmatch(src)
		if m == nil {
			return nil, "", fmt.Errorf("%s has no package clause", file)
		}
		name := string(m[1])
		if members[name] == nil {
			order = append(order, name)
		}
		members[name] = append(members[name], file)
	}
	archives = map[string]string{}
	out := t.TempDir()
	for _, name := range order[:len(order)-1] {
		path := "test/" + strings.TrimSuffix(filepath.Base(members[name][0]), ".go")
		archive := filepath.Join(out, filepath.Base(path)+".a")
		if err := compilePackage(img, path, archive, p.flags, archives, members[name]); err != nil {
			return nil, "", err
		}
		archives[path] = archive
	}
	for i, file := range members[order[len(order)-1]] {
		src, err := os.ReadFile(file)
		if err != nil {
			return nil, "", err
		}
		text := named(string(src), file, 1)
		if i > 0 {
			text = withoutPackage(text)
		}
		main += text
	}
	return archives, relativeImport.ReplaceAllString(main, `"test/$1"`), nil
}

func compilePackage(img *image.Image, path, archive string, flags []string, archives map[string]string, files []string) error {
	config, err := os.ReadFile(img.ImportcfgFile())
	if err != nil {
		return err
	}
	for path, archive := range archives {
		config = fmt.Appendf(config, "packagefile %s=%s\n", path, archive)
	}
	configFile := archive + ".importcfg"
	if err := os.WriteFile(configFile, config, 0o600); err != nil {
		return err
	}
	args := []string{"-e", "-D", "test", "-p", path, "-importcfg", configFile, "-o", archive}
	args = append(append(args, flags...), files...)
	var text bytes.Buffer
	cmd := exec.Command(img.Toolchain.Compile(), args...)
	cmd.Stdout, cmd.Stderr = &text, &text
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("compiling %s: %w\n%s", path, err, &text)
	}
	return nil
}
