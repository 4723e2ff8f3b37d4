package kernelspec

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"image/png"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"testing"
)

func TestInstall(t *testing.T) {
	data := filepath.Join(t.TempDir(), "deep", "down")
	spec, err := New("/opt/bin/perijove", "/opt/go/bin/go")
	if err != nil {
		t.Fatal(err)
	}
	for range 2 { // installing again has the same result
		dir, err := Install(data, spec)
		if err != nil {
			t.Fatal(err)
		}
		checkFiles(t, dir)
	}
	found, err := Find(data)
	if err != nil || !reflect.DeepEqual(found, spec) {
		t.Errorf("found %+v, %v; want %+v", found, err, spec)
	}
}

func checkFiles(t *testing.T, dir string) {
	t.Helper()
	var names []string
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		names = append(names, e.Name())
		info, err := e.Info()
		if err != nil || info.Mode().Perm() != 0o644 {
			t.Errorf("%s has mode %v, %v", e.Name(), info.Mode(), err)
		}
	}
	if want := []string{"kernel.json", "logo-32x32.png", "logo-64x64.png", "logo-svg.svg"}; !reflect.DeepEqual(names, want) {
		t.Errorf("files %q, want %q", names, want)
	}
}

func TestKernelJSON(t *testing.T) {
	spec, err := New("/opt/bin/perijove", "/opt/go/bin/go")
	if err != nil {
		t.Fatal(err)
	}
	dir, err := Install(t.TempDir(), spec)
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(dir, "kernel.json"))
	if err != nil {
		t.Fatal(err)
	}
	var got map[string]any
	if err := json.Unmarshal(text, &got); err != nil {
		t.Fatal(err)
	}
	want := map[string]any{
		"argv":           []any{"/opt/bin/perijove", "kernel", "{connection_file}"},
		"display_name":   "Go (Perijove)",
		"language":       "go",
		"interrupt_mode": "message",
		"env":            map[string]any{"PERIJOVE_GO": "/opt/go/bin/go"},
		"metadata":       map[string]any{"debugger": false},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("kernel.json is %s", text)
	}
}

func TestNewWantsAbsolutePaths(t *testing.T) {
	if _, err := New("perijove", "/usr/bin/go"); err == nil {
		t.Error("a relative program was accepted")
	}
	if _, err := New("/bin/perijove", "go"); err == nil {
		t.Error("a relative go command was accepted")
	}
}

func TestUninstall(t *testing.T) {
	data := t.TempDir()
	if found, err := Uninstall(data); found || err != nil {
		t.Errorf("nothing there: %v, %v", found, err)
	}
	if _, err := Install(data, Spec{}); err != nil {
		t.Fatal(err)
	}
	if found, err := Uninstall(data); !found || err != nil {
		t.Errorf("installed: %v, %v", found, err)
	}
	if _, err := Find(data); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("error %v, want ErrNotExist", err)
	}
}

func TestFindBroken(t *testing.T) {
	data := t.TempDir()
	if err := os.MkdirAll(Dir(data), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(Dir(data), "kernel.json"), []byte("{"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := Find(data); err == nil || errors.Is(err, fs.ErrNotExist) {
		t.Errorf("error %v, want one about the JSON", err)
	}
}

func TestDataDir(t *testing.T) {
	for _, test := range []struct {
		env  map[string]string
		want string
	}{
		{map[string]string{"JUPYTER_DATA_DIR": "/j", "HOME": "/h"}, "/j"},
		{map[string]string{"HOME": "/h"}, "/h/.local/share/jupyter"},
		{nil, ""},
	} {
		got, err := DataDir(func(name string) string { return test.env[name] })
		if got != test.want || (err != nil) != (test.want == "") {
			t.Errorf("%v: %q, %v; want %q", test.env, got, err, test.want)
		}
	}
}

func TestIcons(t *testing.T) {
	for name, side := range map[string]int{"files/logo-32x32.png": 32, "files/logo-64x64.png": 64} {
		content, err := icons.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		img, err := png.Decode(bytes.NewReader(content))
		if err != nil || img.Bounds().Dx() != side || img.Bounds().Dy() != side {
			t.Errorf("%s: %v, %v", name, img, err)
		}
	}
	content, err := icons.ReadFile("files/logo-svg.svg")
	if err != nil {
		t.Fatal(err)
	}
	if err := xml.Unmarshal(content, new(struct{})); err != nil {
		t.Error(err)
	}
}
