/**
 * Browser types that the declarations of tfjs, @webgpu/types and @types/offscreencanvas mention, as opaque names.
 * TypeScript's own `dom` library would declare WebGPU a second time, and would let code that never runs in a
 * browser call browser functions.
 */
type BufferSource = ArrayBufferView | ArrayBuffer;
type PredefinedColorSpace = string;
interface EventInit {}
interface HTMLImageElement {}
interface HTMLSourceElement {}
interface IDBFactory {}
interface ImageBitmap {}
interface ImageData {}
interface Storage {}
interface VideoFrame {}
interface WebGLContextAttributes {}
interface WebGLRenderingContext {}
interface WebGLTexture {}
