package conformance

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/tools/txtar"

	"github.com/perijove/perijove"
	"github.com/perijove/perijove/kernel/internal/cell"
	"github.com/perijove/perijove/kernel/internal/export"
	"github.com/perijove/perijove/kernel/internal/export/exporttest"
	"github.com/perijove/perijove/kernel/internal/export/translate"
	"github.com/perijove/perijove/kernel/internal/image"
	nbfile "github.com/perijove/perijove/kernel/internal/notebook"
	"github.com/perijove/perijove/kernel/internal/output"
	"github.com/perijove/perijove/kernel/internal/session"
	"github.com/perijove/perijove/kernel/internal/version"
)

var (
	exportCount = flag.Int("export.n", 6, "how many random notebooks to export and compare with their runs")
	exportSeed  = flag.Uint64("export.seed", 1, "the first one's seed; the others follow")
	exportKeep  = flag.String("export.keep", "", "keep the exported programs in this folder")
)

// TestExportedRandomNotebooks exports random notebooks, in which cells redefine functions and constants, and compares
// the output of the programs with the output of the notebooks.
func TestExportedRandomNotebooks(t *testing.T) {
	img := openImage(t)
	dir := *exportKeep
	if dir == "" {
		dir = t.TempDir()
	}
	exporter := newExporter(t, img, dir)
	var want []string
	refused := 0
	for i := range *exportCount {
		seed := *exportSeed + uint64(i)
		nb := newNotebook(seed)
		var cells []string
		for _, c := range nb.runs {
			cells = append(cells, nb.cells[c].text)
		}
		files, err := exporter.Files(parseNotebook(t, cells))
		if err != nil {
			refused++
			t.Logf("seed %d: %v", seed, err)
			want = append(want, "")
			continue
		}
		for name, text := range files {
			writeProgram(t, filepath.Join(dir, packageOf(i), name), text)
		}
		text, err := runNotebook(t, img, cells)
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		want = append(want, text)
	}
	// The random statements assign variables to themselves, which vet reports.
	goInModule(t, img, dir, "vet", "-assign=false", "./...")
	if out := goInModule(t, img, dir, "fmt", "./..."); out != "" {
		t.Errorf("gofmt changes %s", out)
	}
	goInModule(t, img, dir, "build", "-o", "bin/", "./...")
	same := 0
	for i, text := range want {
		if text == "" {
			continue
		}
		got := runExported(t, filepath.Join(dir, "bin", packageOf(i)))
		if got != text {
			t.Errorf("-export.seed %d -export.n 1: the program printed\n%s\nthe notebook\n%s", *exportSeed+uint64(i), got, text)
			continue
		}
		same++
	}
	t.Logf("%d of %d programs print the same, %d notebooks are refused", same, *exportCount, refused)
	if refused > *exportCount/2 {
		t.Errorf("%d of %d notebooks are refused", refused, *exportCount)
	}
}

func newExporter(t *testing.T, img *image.Image, dir string) *export.Exporter {
	e, err := export.NewExporter(t.Context(), export.Options{
		Options: translate.Options{Name: "random", Source: "random.ipynb", Dir: t.TempDir(), GOROOT: img.Toolchain.Root},
		Target:  dir, Go: img.Toolchain.Go, Library: perijove.Source, Version: version.Version,
	})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func parseNotebook(t *testing.T, cells []string) *nbfile.Notebook {
	var list []map[string]any
	for i, text := range cells {
		list = append(list, map[string]any{
			"id": fmt.Sprint("c", i), "cell_type": "code", "metadata": map[string]any{}, "outputs": []any{}, "execution_count": nil, "source": text,
		})
	}
	data, err := json.Marshal(map[string]any{"nbformat": 4, "nbformat_minor": 5, "metadata": map[string]any{}, "cells": list})
	if err != nil {
		t.Fatal(err)
	}
	nb, err := nbfile.Parse(data)
	if err != nil {
		t.Fatal(err)
	}
	return nb
}

func writeProgram(t *testing.T, name string, text []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, text, 0o644); err != nil {
		t.Fatal(err)
	}
}

// runNotebook returns what the cells print.
func runNotebook(t *testing.T, img *image.Image, cells []string) (string, error) {
	s, err := session.New(session.Config{Image: img, Dir: t.TempDir(), ProgressDelay: noProgress})
	if err != nil {
		return "", err
	}
	defer s.Close()
	var out recorder
	for _, text := range cells {
		if err := execute(t, s, output.Request{Code: text, StoreHistory: true}, &out); err != nil {
			return "", err
		}
	}
	return keptNotice.ReplaceAllString(out.text(), ""), nil
}

func goInModule(t *testing.T, img *image.Image, dir string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), img.Toolchain.Go, args...)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), "GOWORK=off", "GOFLAGS=-mod=mod")
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		t.Errorf("go %s: %v\n%s", strings.Join(args, " "), err, stderr.String())
	}
	return stdout.String()
}

func runExported(t *testing.T, name string) string {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var out bytes.Buffer
	cmd := exec.CommandContext(ctx, name)
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Run(); err != nil {
		fmt.Fprintf(&out, "%v\n", err)
	}
	return out.String()
}

// kernelMessages matches what the kernel prints about directives, which programs do not print.
var kernelMessages = regexp.MustCompile(`(?m)^(wrote \d+ bytes to .*|=== RUN .*|--- PASS: .*|PASS)\n`)

// TestExportedScenarios compares the output of the programs in package export's testdata, which its tests have run, with
// the output of their cells.
func TestExportedScenarios(t *testing.T) {
	img := openImage(t)
	files, err := filepath.Glob("../export/testdata/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	compared := 0
	for _, file := range files {
		a, err := txtar.ParseFile(file)
		if err != nil {
			t.Fatal(err)
		}
		i := slices.IndexFunc(a.Files, func(f txtar.File) bool { return f.Name == "output" })
		if i < 0 || strings.Contains(string(a.Comment), "force") || strings.HasPrefix(string(a.Comment), "Not compared") {
			continue
		}
		nb, err := exporttest.Notebook(a)
		if err != nil {
			t.Fatal(err)
		}
		compared++
		dir := t.TempDir()
		if err := exporttest.WriteFiles(a, dir); err != nil {
			t.Fatal(err)
		}
		if got, want := outputOf(t, img, nb, dir), string(a.Files[i].Data); got != want {
			t.Errorf("%s: the cells print\n%s\nthe program\n%s", file, got, want)
		}
	}
	if compared < 8 {
		t.Errorf("only %d files were compared", compared)
	}
}

// outputOf runs a notebook and returns its standard output and the text of its displays.
func outputOf(t *testing.T, img *image.Image, nb *nbfile.Notebook, dir string) string {
	t.Helper()
	s, err := session.New(session.Config{Image: img, Dir: dir, ProgressDelay: noProgress})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if err := nb.Run(t.Context(), s, nbfile.Options{}); err != nil {
		t.Error(err)
	}
	var text strings.Builder
	for _, c := range nb.Cells {
		parsed, _ := cell.Parse(1, c.Source)
		for _, o := range c.Outputs {
			if o.Name == output.Stdout && parsed != nil && slices.ContainsFunc(parsed.Directives, func(d cell.DirectiveLine) bool { return d.Name == "%cd" }) {
				_, o.Text, _ = strings.Cut(o.Text, "\n") // the folder, which the kernel prints
			}
			plain, _ := o.Data["text/plain"].(string)
			switch {
			case o.Type == nbfile.StreamOutput && o.Name == output.Stdout:
				text.WriteString(o.Text)
			case plain != "":
				text.WriteString(strings.TrimSuffix(plain, "\n") + "\n")
			}
		}
	}
	return kernelMessages.ReplaceAllString(text.String(), "")
}
