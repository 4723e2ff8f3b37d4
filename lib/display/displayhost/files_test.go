package displayhost

import (
	"bytes"
	"encoding/base64"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestWriteFiles(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "displays")
	if err := WriteFiles(dir); err != nil {
		t.Fatal(err)
	}
	defer WriteFiles("")
	picture := []byte("\x89PNG")
	for _, m := range []Message{
		{Kind: KindShow, Data: map[string]any{"text/plain": "text only"}},
		{Kind: KindShow, Data: map[string]any{"text/plain": "[picture]", "image/png": base64.StdEncoding.EncodeToString(picture), "image/svg+xml": "<svg/>"}},
		{Kind: KindShow, ID: "x", Data: map[string]any{"text/html": "<b>one</b>", "text/plain": "one"}},
		{Kind: KindUpdate, ID: "x", Data: map[string]any{"text/html": "<b>two</b>", "text/plain": "two"}},
		{Kind: KindClear},
		{Kind: KindShow, Data: map[string]any{"application/json": map[string]int{"a": 1}}},
		{Kind: KindShow, Data: map[string]any{"text/markdown": "a < b"}},
	} {
		if err := files.Load().write(m); err != nil {
			t.Fatal(err)
		}
	}
	for name, want := range map[string]string{"001.png": string(picture), "001.svg": "<svg/>", "002.html": "<b>two</b>", "003.json": "{\n\t\"a\": 1\n}\n", "004.md": "a < b"} {
		if got, err := os.ReadFile(filepath.Join(dir, name)); err != nil || !bytes.Equal(got, []byte(want)) {
			t.Errorf("%s is %q, error %v, want %q", name, got, err, want)
		}
	}
	page, err := os.ReadFile(filepath.Join(dir, "index.html"))
	if err != nil || strings.Count(string(page), "<figure") != 4 || !strings.Contains(string(page), `<img src="001.svg"`) ||
		!strings.Contains(string(page), "<b>two</b>") || strings.Contains(string(page), "<b>one</b>") || !strings.Contains(string(page), "a &lt; b") {
		t.Errorf("the index is %s, error %v", page, err)
	}
	bad := Message{Kind: KindShow, Data: map[string]any{"image/png": "not base64"}}
	if err := files.Load().write(bad); err == nil {
		t.Error("a picture that is not encoded was written")
	}
	file := filepath.Join(dir, "001.svg")
	if err := WriteFiles(file); err == nil {
		t.Error("a file was taken for a folder")
	}
}
