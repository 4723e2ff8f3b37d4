// Package widget puts the controls of ipywidgets into a notebook: sliders,
// menus, buttons, progress bars. The program always sees a control's current value,
// while a cell runs and between cells.
//
//	widget.Interact(func(workers int) any { return curve(workers) }, widget.Range("workers", 1, 8))
//
// [Interact] makes a control for each parameter of a function. It shows the controls
// and the result of the function, such as a plot, and calls the function again when a
// control changes. [Live] does the same for existing controls:
//
//	workers := widget.NewIntSlider("workers", 1, 8, 2)
//	widget.Live(func() any { return curve(workers.Value()) }, workers)
//
// The types have the names of ipywidgets. Each type or family of related types has its own
// file:
//
//	IntSlider, FloatSlider, IntRangeSlider, FloatRangeSlider      slider.go
//	Dropdown, RadioButtons, ToggleButtons, SelectMultiple         selection.go
//	Checkbox                                                      checkbox.go
//	Text, Textarea, IntText, FloatText                            text.go
//	Button                                                        button.go
//	Play                                                          play.go
//	DatePicker                                                    datepicker.go
//	FileUpload                                                    upload.go
//	IntProgress, FloatProgress                                    progress.go
//	HTML, Label                                                   html.go
//	Output                                                        output.go
//	HBox, VBox, GridBox                                           box.go
//	Tab, Accordion                                                pages.go
//
// [Link] and [JSLink] keep the values of two controls equal.
//
// JupyterLab needs the extension jupyterlab_widgets of ipywidgets 8, which comes with
// ipywidgets. VS Code needs no extension. In a program outside of a notebook, and in a
// front end without the extension, the user cannot change the controls.
//
// The process that runs the cells keeps the state of all widgets. A page requests the state
// when it is reloaded or opened again. A page shows no widgets after the kernel has ended.
// [Live] and [Interact] also write their last result into the notebook file as an ordinary
// output, which the page shows instead.
//
// Each control calls the functions passed to OnChange, OnClick, Live and Interact one
// at a time, in a goroutine that it starts. If the value changes several times while a
// function runs, the control calls the function once more, with the last value.
//
// Source: the Jupyter widgets' messaging protocol 2.1 and model state 8.0
// (@jupyter-widgets/schema).
package widget
