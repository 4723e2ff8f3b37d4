// Package notebooks holds the notebooks that come with Perijove. Its tests execute them
// and check their outputs.
package notebooks
