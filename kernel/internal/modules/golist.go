package modules

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os/exec"
	"slices"
	"strings"

	"github.com/perijove/perijove/kernel/internal/image"
)

// A listedPackage is a package in the output of go list.
type listedPackage struct {
	ImportPath string
	Name       string
	Export     string
	Standard   bool
	Stale      bool
	Dir        string
	Module     *module
	CgoFiles   []string
	Imports    []string
}

const listedFields = "ImportPath,Name,Export,Standard,Dir,Module,CgoFiles,Imports"

type module struct {
	Path, Version, Dir string
	Main               bool
	Replace            *struct{ Path, Version string }
}

// source returns the module with its version or replacement, and whether it is a local
// folder. Packages in such a folder may change while go.mod does not.
func (m *module) source() (c image.Module, folder bool) {
	switch {
	case m.Main, m.Replace != nil && m.Replace.Version == "":
		return image.Module{Path: m.Path, Version: m.Version, With: m.Dir}, true
	case m.Replace != nil:
		return image.Module{Path: m.Path, Version: m.Version, With: m.Replace.Path + "@" + m.Replace.Version}, false
	}
	return image.Module{Path: m.Path, Version: m.Version}, false
}

func isLocal(p listedPackage) bool {
	if p.Module == nil {
		return false
	}
	_, folder := p.Module.source()
	return folder
}

// list runs go list.
func (m *Modules) list(ctx context.Context, cgo bool, args ...string) ([]listedPackage, error) {
	return m.listCopying(ctx, cgo, nil, args...)
}

// listCopying does what list does, and also writes the go command's standard error to the writer to.
func (m *Modules) listCopying(ctx context.Context, cgo bool, to io.Writer, args ...string) ([]listedPackage, error) {
	return m.listFields(ctx, cgo, to, listedFields, args...)
}

func (m *Modules) listFields(ctx context.Context, cgo bool, to io.Writer, fields string, args ...string) ([]listedPackage, error) {
	out, err := m.goCommand(ctx, cgo, to, append(m.listCommand(fields), args...)...)
	if err != nil {
		return nil, err
	}
	var list []listedPackage
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		var p listedPackage
		if err := dec.Decode(&p); err == io.EOF {
			return list, nil
		} else if err != nil {
			return nil, fmt.Errorf("cannot read the output of the command go list: %w", err)
		}
		list = append(list, p)
	}
}

// listCommand returns the words of go list before its other arguments.
func (m *Modules) listCommand(fields string) []string {
	words := []string{"list", "-json=" + fields}
	if m.img.Race {
		words = append(words, "-race")
	}
	return words
}

func (m *Modules) goCommand(ctx context.Context, cgo bool, to io.Writer, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, m.img.Toolchain.Go, args...)
	cmd.Dir = m.dir
	cmd.Env = m.environ(cgo)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if to != nil {
		cmd.Stderr = io.MultiWriter(&errs, to)
	}
	if err := cmd.Run(); err != nil {
		text := strings.TrimSpace(errs.String())
		if text == "" {
			text = err.Error()
		}
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			return nil, &goCommandError{fmt.Sprintf("the command go %s failed: %s", args[0], text)}
		}
		return nil, fmt.Errorf("cannot run the command go %s: %s", args[0], text)
	}
	return out.Bytes(), nil
}

// A goCommandError is the error of a go command that exited with a failure. Its
// text is the command's output.
type goCommandError struct{ text string }

func (r *goCommandError) Error() string { return r.text }

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
