package modules

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/perijove/perijove/kernel/internal/goobj"
	"github.com/perijove/perijove/kernel/internal/symname"
)

// Importcfg returns the name of an importcfg file with the packages of the image and the packages that Archive has
// found.
func (m *Modules) Importcfg([]string) (string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.importcfg(m.img.ImportcfgFile())
}

// IsThin reports whether ThinImportcfg lists a package in its thin form; see package thin.
func (m *Modules) IsThin(path string) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.img.IsThin(path)
}

// Declared is that of image.Image for the packages in ThinImportcfg.
func (m *Modules) Declared(path, linkName string) (in, identifier string, ok bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	in, identifier, ok = m.img.Declared(path, linkName)
	return in, identifier, ok && m.archives[path] == "" && m.archives[in] == "" // no other versions of the packages
}

// InWorker reports whether the image has a symbol, a function or the descriptor of a type, and cells use the image's
// symbol. If another version of the symbol's package is loaded, they do not.
func (m *Modules) InWorker(symbol string) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	for path := range m.archives {
		if _, err := m.img.Archive(path); err == nil && symname.MentionsPackage(symbol, goobj.EscapePath(path)) {
			return false // another version of the package replaces it
		}
	}
	return m.img.Has(symbol)
}

// importcfg returns the name of an importcfg file with the packages of one of the image and those found by Archive. The caller holds mu.
func (m *Modules) importcfg(base string) (string, error) {
	if len(m.archives) == 0 {
		return base, nil
	}
	b, err := os.ReadFile(base)
	if err != nil {
		return "", err
	}
	var cfg bytes.Buffer
	for line := range bytes.Lines(b) {
		path, _, _ := strings.Cut(strings.TrimPrefix(string(line), "packagefile "), "=")
		if _, other := m.archives[path]; !other {
			cfg.Write(line)
		}
	}
	cfg.WriteString(m.importcfgLines())
	return m.writeImportcfg(cfg.Bytes())
}

// ExtraImportcfg returns the name of an importcfg file with the packages that the
// image does not have, for the worker process, or "" if there are none.
func (m *Modules) ExtraImportcfg() (string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.archives) == 0 {
		return "", nil
	}
	return m.writeImportcfg([]byte(m.importcfgLines()))
}

func (m *Modules) importcfgLines() string {
	var b strings.Builder
	for _, p := range sortedKeys(m.archives) {
		fmt.Fprintf(&b, "packagefile %s=%s\n", p, m.archives[p])
	}
	return b.String()
}

func (m *Modules) writeImportcfg(b []byte) (string, error) {
	sum := sha256.Sum256(b)
	key := hex.EncodeToString(sum[:8])
	if f := m.configs[key]; f != "" {
		return f, nil
	}
	file := filepath.Join(m.scratch, "importcfg-"+key)
	if err := os.WriteFile(file, b, 0o644); err != nil {
		return "", err
	}
	m.configs[key] = file
	return file, nil
}
