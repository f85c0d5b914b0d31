// panel_pixel.js - the arithmetic of one number of a map.
import { make } from './dom.js';
export async function showPixel() { return make('p', {}, ''); }
