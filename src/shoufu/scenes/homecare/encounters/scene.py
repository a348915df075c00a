from shoufu.kernel.base.scene import Part

part = Part()
