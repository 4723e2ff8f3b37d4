// Package exporttest reads notebooks for tests of exports.
package exporttest

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/tools/txtar"

	"github.com/perijove/perijove/kernel/internal/notebook"
)

// Notebook returns a notebook with the cells of an archive: the files whose names begin with "cell" or "markdown".
// Further words of a file's name are tags.
func Notebook(a *txtar.Archive) (*notebook.Notebook, error) {
	cells := []map[string]any{}
	for i, f := range a.Files {
		words := strings.Fields(f.Name)
		if len(words) == 0 || words[0] != "cell" && words[0] != "markdown" {
			continue
		}
		c := map[string]any{
			"id": fmt.Sprint("c", i), "cell_type": "markdown", "metadata": map[string]any{"tags": words[1:]}, "source": string(f.Data),
		}
		if words[0] == "cell" {
			c["cell_type"], c["outputs"], c["execution_count"] = "code", []any{}, nil
		}
		cells = append(cells, c)
	}
	data, err := json.Marshal(map[string]any{"nbformat": 4, "nbformat_minor": 5, "metadata": map[string]any{}, "cells": cells})
	if err != nil {
		return nil, err
	}
	return notebook.Parse(data)
}

// WriteFiles writes files of an archive to the folder of a notebook: the files whose names begin with the word
// "file".
func WriteFiles(a *txtar.Archive, dir string) error {
	for _, f := range a.Files {
		name, ok := strings.CutPrefix(f.Name, "file ")
		if !ok {
			continue
		}
		name = filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(name, f.Data, 0o644); err != nil {
			return err
		}
	}
	return nil
}
