// Three balls on a tiled floor. Part and Parts (from 0) choose a strip of the picture, whose height +H then is.
#version 3.7;
#ifndef (Parts) #declare Part = 0; #declare Parts = 1; #end
global_settings { assumed_gamma 1 }
#declare Height = 0.75;
camera {
  location <0, 1.5, -5>
  right x
  up y * Height / Parts
  direction z + y * (0.5 - (Part + 0.5) / Parts) * Height
}
background { color rgb <0.6, 0.75, 0.95> }
light_source { <6, 9, -7> color rgb 1 }
plane {
  y, 0
  pigment { checker color rgb 0.85 color rgb 0.15 }
  finish { reflection 0.15 }
}
#macro Ball(At, Size, Colour)
  sphere { At, Size pigment { color rgb Colour } finish { specular 0.6 reflection 0.25 } }
#end
Ball(<0, 1, 0>, 1, <0.85, 0.3, 0.2>)
Ball(<-1.5, 0.6, -0.9>, 0.6, <0.25, 0.55, 0.3>)
Ball(<1.45, 0.5, -1.1>, 0.5, <0.2, 0.35, 0.8>)
